"""The layer of a mounted Secret: a directory with one file a key."""

from wellkept._files import FileFault, is_exposed, read_entries, without_final_newline
from wellkept._names import canonical_path, closest, toml_key
from wellkept._patterns import pattern
from wellkept.config.layers.say import Heard, Refers, say_text, unknown
from wellkept.config.schema import Schema
from wellkept.errors import Problem
from wellkept.origin import Layer, Origin

_NESTED = pattern(r"\.|__")  # a Kubernetes key may hold both: `db.host`, `db__host`


def read_directory(schema: Schema, path: str, shown: str) -> Heard:
    """Read the files of a directory, all of one version of the mount.

    A file that is no setting is a notice; one whose name is close to a setting's is a problem.
    """
    heard = Heard()
    try:
        entries = read_entries(path)
    except FileFault as fault:
        heard.refuse(Problem(shown, fault.fact, None, fault.hint or "check the mount", fault.kind))
        return heard
    names = [toml_key(setting.spelling) for setting in schema.settings]
    for name, content in entries.items():
        form = canonical_path(_NESTED.split(name))
        place = f"{shown}/{name}"
        setting = schema.by_form.get(form)
        if setting is not None:
            value, note = without_final_newline(content)
            file = f"{path}/{name}"
            origin = Origin(Layer.DIRECTORY, place, file=file, note=note)
            heard.hear(form, say_text(origin, value, Refers.NEVER))
            if setting.holds_secret and not heard.warnings and is_exposed(file):
                heard.warnings.append(exposed(shown, f"chmod 600 {shown}/*"))
        elif (near := closest(name, names)) is not None:
            heard.refuse(unknown(place, "is no setting", place, f"did you mean {near}?"))
        else:
            heard.notices.append((place, f"is no setting of {schema.cls.__name__}"))
    return heard


def exposed(place: str, fix: str) -> Problem:
    """The warning about a file or directory with secrets that other users can read."""
    return Problem(place, "holds secrets and can be read by other users", None, fix)
