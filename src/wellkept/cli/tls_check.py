"""`wellkept tls check`: what is wrong with certificates, keys, keystores and revocation lists, in plain words."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import click

from wellkept._dataclasses import replace
from wellkept._patterns import pattern
from wellkept.cli import render
from wellkept.cli.target import attempt, layer_options
from wellkept.cli.tls_material import password_options, read_password
from wellkept.cli.tls_sorting import Heap, sort_files, told
from wellkept.cli.tls_trial import Fine, fine_of, judge_heap
from wellkept.errors import EXIT_FINDINGS, EXIT_FINE, BundleError, ConfigError, UsageError
from wellkept.model import Finding, Severity
from wellkept.runtime import Attempt
from wellkept.tls.bundle import Bundle, Parts
from wellkept.tls.certificates import day
from wellkept.tls.client import ClientTLS
from wellkept.tls.judge import errors_of, findings_of
from wellkept.tls.material import trust_files
from wellkept.tls.rehearse import rehearse
from wellkept.tls.server import ServerTLS
from wellkept.tls.source import FilesSource

HEAD = ("code", "severity", "place", "what", "fix")
FINE_HEAD = ("certificate", "what", "place", "until", "days left")

_CLASS = pattern(r"[A-Za-z_][\w.]*:\w*")
TLS = ServerTLS | ClientTLS


@click.command("check")
@click.argument("targets", nargs=-1, required=True, metavar="FILES…|MODULE:CLASS")
@click.option("--server", "side", flag_value="server", help="The certificates are those of servers.")
@click.option("--client", "side", flag_value="client", help="The certificates are those of clients.")
@click.option("--trust", multiple=True, metavar="CA", type=click.Path(), help="A file with a CA that is trusted.")
@click.option(
    "--crl", "lists", multiple=True, metavar="FILE", type=click.Path(), help="A revocation list, or a folder."
)
@click.option("--strict", "is_strict", is_flag=True, help="Warnings count as errors.")
@password_options
@layer_options
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
def command(
    targets: Sequence[str],
    *,
    side: str | None,
    trust: Sequence[str],
    lists: Sequence[str],
    password_file: str | None,
    files: Sequence[str],
    arguments: Sequence[str],
    is_strict: bool,
    is_piped: bool,
    wants_json: bool,
) -> int:
    """Look at certificates, keys, chains, CAs, revocation lists and keystores, and say what is wrong.

    What each of FILES is, and which belong together, is found out. Or MODULE:CLASS is loaded as
    `wellkept check` does it, and each ServerTLS and ClientTLS in it is looked at. Nobody is ever
    asked for a password: an encrypted key without --password-file is a finding.

    Exit code 0 if all is fine, 1 if there is an error (with --strict: or a warning), 2 if it
    cannot be told.
    """
    now = datetime.now(UTC)
    is_class = [_is_class(one) for one in targets]
    if any(is_class):
        _refuse_mixture(targets, [side, *trust, *lists, password_file, is_piped or None])
        findings, fine = _of_class(targets[0], files, arguments, now)
    else:
        if files or arguments:
            raise UsageError("--file and -C: are for MODULE:CLASS", hint="leave them out, or name a class")
        password = None
        if password_file is not None or is_piped:
            password = read_password("the keys", password_file, is_piped=is_piped)
        heap = sort_files(targets, trust, lists, password)
        findings = judge_heap(heap, side=side, now=now)
        fine = fine_of(heap, findings, now=now)
    _show(findings, fine, wants_json=wants_json)
    return EXIT_FINDINGS if any(is_strict or one.severity is Severity.ERROR for one in findings) else EXIT_FINE


def _is_class(target: str) -> bool:
    return _CLASS.fullmatch(target) is not None and not os.path.lexists(target)


def _refuse_mixture(targets: Sequence[str], for_files: Iterable[object]) -> None:
    if len(targets) > 1:
        raise UsageError(f"{targets[0]}: is looked at alone", hint="name one MODULE:CLASS, or files")
    if any(one is not None for one in for_files):
        raise UsageError(
            f"{targets[0]}: says itself which files belong to what", hint="leave out all options but --file and -C"
        )


def _of_class(
    target: str, files: Sequence[str], arguments: Sequence[str], now: datetime
) -> tuple[list[Finding], list[Fine]]:
    """What is wrong with each TLS setting of a class, and the certificates that are fine."""
    with render.waiting("asking the sources"):
        made = attempt(target, files, arguments)
    try:
        if made.config is None:
            raise ConfigError(f"configuration of {target}", made.problems)
        found = list(_settings(made))
        if not found:
            raise UsageError(f"{target}: has no setting that is a ServerTLS or ClientTLS", hint="name another class")
        findings: list[Finding] = []
        fine: list[Fine] = []
        for name, tls in found:
            own, heap = _of_setting(tls, now)
            findings += [replace(one, place=f"{name}: {one.place}") for one in own]
            fine += [replace(one, place=f"{name}: {one.place}") for one in fine_of(heap, own, now=now)]
    finally:
        made.close()
    return sorted(findings, key=lambda one: one.severity is not Severity.ERROR), fine


def _settings(made: Attempt) -> Iterator[tuple[str, TLS]]:
    """The TLS settings of a configuration, by their names."""
    for one in made.explanation().settings:
        value: object = made.config
        for step in one.name.split("."):
            value = getattr(value, step, None)
        yield from _inside(one.name, value)


def _inside(name: str, value: object) -> Iterator[tuple[str, TLS]]:
    if isinstance(value, TLS):
        yield name, value
    elif isinstance(value, Mapping):
        for key, one in cast("Mapping[str, object]", value).items():
            yield from _inside(f"{name}.{key}", one)
    elif isinstance(value, (list, tuple)):
        for number, one in enumerate(cast("Sequence[object]", value)):
            yield from _inside(f"{name}[{number}]", one)


def _of_setting(tls: TLS, now: datetime) -> tuple[list[Finding], Heap]:
    """What a start with these settings would say, all of it."""
    try:
        policy = tls.policy()
        parts = _parts(tls)
    except BundleError as error:
        return [told(error)], Heap()
    found = findings_of(parts, policy, now=now)
    heap = Heap(identities=[] if parts.identity is None else [parts.identity], roots=list(parts.trust))
    if not errors_of(found):
        try:
            rehearse(Bundle(parts, policy, 1, now))
        except BundleError as error:
            found.insert(0, told(error))
    return found, heap


def _parts(tls: TLS) -> Parts:
    given = tls.trust if isinstance(tls, ClientTLS) else None if tls.mutual is None else tls.mutual.trust
    return FilesSource(tls.key, trust_files(given), tls.cert_validation).read()


def _show(findings: Sequence[Finding], fine: Sequence[Fine], *, wants_json: bool) -> None:
    rows = [
        {"code": one.id, "severity": one.severity, "place": one.place, "what": one.evidence, "fix": one.fix}
        for one in findings
    ]
    if wants_json:
        render.as_json({"findings": rows, "certificates": [_record(one) for one in fine]})
        return
    if rows:
        render.table(HEAD, render.columns(rows, HEAD))
    if rows and fine:
        render.out("")
    if fine:
        shown = [(one.name, one.what, one.place, day(one.until), str(one.days_left)) for one in fine]
        render.table(FINE_HEAD, shown)
    if not rows:
        render.talk("nothing is wrong")


def _record(one: Fine) -> Mapping[str, object]:
    return {
        "name": one.name,
        "what": one.what,
        "place": one.place,
        "until": one.until.isoformat(),
        "days_left": one.days_left,
    }
