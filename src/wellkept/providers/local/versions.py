"""What this machine holds has no versions, so a reference cannot pin one."""

from wellkept.errors import Malformed
from wellkept.model import Reference


def refuse_version(reference: Reference) -> Malformed | None:
    """The refusal of a reference that pins a version, or None for any other."""
    if reference.option("version") is None:
        return None
    return Malformed(f"{reference}: {reference.scheme} has no versions", hint="leave out version=")
