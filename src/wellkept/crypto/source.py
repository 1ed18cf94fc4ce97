"""`${enc:1:…}`: the ciphertexts of Secrets.toml, each answered only for the key and file that it stands in."""

from collections.abc import Mapping, Sequence

from wellkept._files import shown, version_of
from wellkept._names import canonical, canonical_path, did_you_mean
from wellkept.crypto.change import with_secret, without_secret
from wellkept.crypto.keyring import IDENTITY, PASSPHRASE
from wellkept.crypto.opened import Opened
from wellkept.crypto.passphrase import FEWEST_CHARACTERS
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.spelling import spelt
from wellkept.crypto.store import SecretsFile
from wellkept.crypto.text import HEADER, SecretsText
from wellkept.errors import Absent, Malformed, SourceError, UsageError
from wellkept.model import Reading, Reference
from wellkept.secret import Secret

MOST_GUESSED = 500  # keys that a missing one is compared with: more take a second


class SecretsSource:
    """Answers for keys of Secrets.toml: `Reference.path` is the key, `Reference.base` the file."""

    is_local = True
    starts_at_base = True
    options: frozenset[str] = frozenset({"line"})

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._masked = _masked(environ)

    def fetch(self, reference: Reference) -> Reading:
        """Decrypt one value.

        Raises:
            Absent: there is no such key, or no such file.
            Denied: no identity at hand opens the file.
            Malformed: the file or the value was changed, or stands twice.
        """
        answer = self.fetch_many([reference])[0]
        if isinstance(answer, SourceError):
            raise answer
        return answer

    def fetch_many(self, references: Sequence[Reference]) -> Sequence[Reading | SourceError]:
        """Decrypt all; a file is read once."""
        files = {base: self._opened(base) for base in dict.fromkeys(one.base for one in references)}
        return [_answer(files[one.base], one) for one in references]

    def versions(self, references: Sequence[Reference]) -> Sequence[str | SourceError | None]:
        """Say what the system says of each file; see `ports.Watches`."""
        found = {base: version_of(base) for base in {one.base for one in references} if base is not None}
        return [found.get(one.base or "") for one in references]

    def write(self, reference: Reference, value: str | None, *, expected_version: str | None = None) -> str | None:
        """Set or remove a key, as in `Writes`; there are no versions."""
        secret = None if value is None else Secret(value)
        value = None  # a traceback may show the locals of this frame
        if expected_version is not None:
            raise UsageError(f"{_named(reference)}: has no versions", hint="leave out --if-version")

        is_text = all(step.isprintable() for step in reference.path)
        if not reference.path or not is_text or canonical(reference.path[0]) == HEADER:
            raise UsageError(
                f"{_named(reference)}: is no key for a secret", hint=f"{HEADER} holds the header of the file"
            )

        def edit(opened: Opened) -> str:
            if secret is not None:
                return with_secret(opened.text, reference.path, opened.seal(reference.path, secret.reveal()))
            if canonical_path(reference.path) not in opened.text.secrets:
                raise _absent(opened.text, opened.name, reference)
            return without_secret(opened.text, reference.path)

        self._file(reference.base).change(edit)
        return None

    def names(self, reference: Reference) -> Sequence[str]:
        """The keys below a path, each whole; no identity is needed."""
        form = canonical_path(reference.path)
        file = self._file(reference.base)
        text = file.read()
        secrets = text.secrets
        names = sorted(spelt(entries[0].path) for one, entries in secrets.items() if one[: len(form)] == form)
        if not names and form:
            raise _absent(text, file.name, reference)
        return names

    def _opened(self, base: str | None) -> Opened | SourceError:
        try:
            return self._file(base).open()
        except SourceError as error:
            return error.with_traceback(None)

    def _file(self, base: str | None) -> SecretsFile:
        if base is None:
            raise Malformed(
                "enc: answers only in the file that wellkept set writes", hint="put the value into Secrets.toml"
            )
        return SecretsFile(base, self._environ, shown(base))


def open_source(environ: Mapping[str, str]) -> SecretsSource:
    """Make the source of one load."""
    return SecretsSource(environ)


def _masked(environ: Mapping[str, str]) -> list[Secret[str]]:
    """What opens the file, known to the masker as long as the source lives."""
    words = [*environ.get(IDENTITY, "").split(), environ.get(PASSPHRASE, "")]
    return [Secret(word, name=IDENTITY) for word in words if len(word) > FEWEST_CHARACTERS]


def _answer(opened: Opened | SourceError, reference: Reference) -> Reading | SourceError:
    if isinstance(opened, SourceError):
        return opened
    line = reference.option("line")
    entry = opened.entry(reference.path, int(line) if line is not None and line.isdecimal() else None)
    if isinstance(entry, Refusal):
        is_absent = canonical_path(reference.path) not in opened.text.secrets
        return _absent(opened.text, opened.name, reference) if is_absent else entry.error(_named(reference))
    value = opened.value(entry)
    if isinstance(value, Refusal):
        return value.error(_named(reference))
    return Reading(value, f"{opened.name}:{entry.line + 1}:{entry.start + 1}")


def _absent(text: SecretsText, name: str, reference: Reference) -> Absent:
    flaw = next(iter(text.flaws), None)
    if flaw is not None:
        return Absent(
            f"{_named(reference)}: is in no line of {name} that can be used; line {flaw.line + 1} {flaw.fact}",
            hint=flaw.hint,
        )
    known = [spelt(entries[0].path) for entries in text.secrets.values()]
    guess = did_you_mean(".".join(reference.path), known) if len(known) <= MOST_GUESSED else None
    return Absent(f"{_named(reference)}: is not in {name}", hint=guess or "wellkept list names what is in it")


def _named(reference: Reference) -> str:
    return spelt(reference.path)
