"""`${env:NAME}`: another variable of the environment."""

from collections.abc import Mapping

from wellkept.errors import Absent
from wellkept.model import Reading, Reference
from wellkept.providers.local.versions import refuse_version


class EnvironmentSource:
    """Answers with variables; their values are never read for references again."""

    is_secret_store = False
    never_changes = True

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def fetch(self, reference: Reference) -> Reading:
        """Return the variable's text.

        Raises:
            Absent: the variable is not set.
            Malformed: the reference pins a version.
        """
        refused = refuse_version(reference)
        if refused is not None:
            raise refused
        name = "/".join(reference.path)
        value = self._environ.get(name)
        if value is None:
            raise Absent(f"{reference}: the variable {name} is not set", hint=f"export {name}")
        return Reading(value, f"env {name}")


def open_source(environ: Mapping[str, str]) -> EnvironmentSource:
    """Make the source of one load."""
    return EnvironmentSource(environ)
