"""What the answers of Vault mean, in words: each kind has its own. No I/O here.

delivery.md §2.6: four answers are 404 and mean four things; two are 403 and mean two.
"""

from typing import Final, cast

from wellkept._http.message import Failure, Request, Response
from wellkept.errors import (
    Absent,
    Deleted,
    Destroyed,
    PolicyDenied,
    RateLimited,
    Sealed,
    TokenRefused,
    Unreachable,
    WrongPath,
)
from wellkept.providers.vault.dance import FORBIDDEN, OK, Dance, data_of, is_plain, items, says, table

LOOKUP_SELF: Final = Request("GET", ("v1", "auth", "token", "lookup-self"))

_TOO_MANY, _FIRST_FAULT, _NOT_INITIALIZED, _BEHIND = 429, 500, 501, 412
_MOST_POLICIES = 5


def trouble(response: Response) -> Failure | None:
    """The failure of a server that is there and cannot answer now, or None."""
    if response.status == _TOO_MANY:
        fact = "unreachable: it takes no more requests now (429)"
        return Failure(RateLimited, fact, "wait, or raise its quota", retry_after_s=response.retry_after_s)
    if response.status == _BEHIND:
        return Failure(Unreachable, "unreachable: this node is behind the active one (412)", "try again")
    if response.status < _FIRST_FAULT:
        return None
    if says(response, "sealed"):
        return Failure(Sealed, "unreachable: it is sealed", "unseal it: bao operator unseal")
    if response.status == _NOT_INITIALIZED:
        return Failure(Sealed, "unreachable: it is not initialized", "set it up: bao operator init")
    return Failure(Unreachable, f"unreachable: it has a fault of its own ({response.status})", "look at its log")


def is_vaults_own(response: Response) -> bool:
    """Whether a 404 comes from Vault, and not from something in front of it that knows no such page."""
    answer = table(response.data)
    errors: object = answer.get("errors")
    is_known = isinstance(errors, list) and all(isinstance(one, str) for one in items(cast("object", errors)))
    return is_known or ("warnings" in answer and "request_id" in answer) or "metadata" in data_of(response)


def no_secret(response: Response, mount: str, path: str, version: str | None, *, is_v2: bool) -> Failure:
    """Which of the four 404s it is."""
    metadata = table(data_of(response).get("metadata"))
    number = metadata.get("version")
    which = f"version {number} of it" if isinstance(number, int) else "it"
    if metadata.get("destroyed") is True:
        return Failure(Destroyed, f"destroyed: {which} is gone for good", "write a new version, or pin another one")
    if metadata.get("deletion_time"):
        fact = f"deleted: {which} was deleted{_when(metadata['deletion_time'])}"
        return Failure(Deleted, fact, f"bring it back: bao kv undelete -mount={mount} -versions={number} {path}")
    if table(response.data).get("warnings"):
        fact = f"absent: the mount {mount}/ is KV v2, and is read as v1"
        return Failure(WrongPath, fact, "leave out kv_version")
    if is_v2 and path.startswith("data/"):
        hint = f"leave out data/, which is added for you: {mount}/{path.removeprefix('data/')}"
        return Failure(WrongPath, f"absent: there is no secret {path} in the mount {mount}/", hint)
    if version is not None:
        fact = f"absent: there is no secret {path} in the mount {mount}/, or no version {version} of it"
        return Failure(Absent, fact, "leave out version=, or pin one that is there")
    fact = f"absent: there is no secret {path} in the mount {mount}/"
    return Failure(Absent, fact, f"write it: wellkept set 'vault:{mount}/{path}#KEY'")


def no_mount(mount: str) -> Failure:
    """The failure of a path at which no engine is mounted."""
    fact = f"absent: no secrets engine is mounted at {mount}/"
    return Failure(WrongPath, fact, "a path begins with its mount: secret/prod/db; or is it another namespace?")


def denied(label: str, path: tuple[str, ...], capability: str) -> Dance[Failure]:
    """Which of the two 403s it is: nobody can tell from the answer, so the token is asked about itself.

    Args:
        label: what the token is called.
        path: the segments of the path that was refused, without `v1`.
        capability: what was tried: `read`, `list`, `create` …
    """
    about = yield LOOKUP_SELF
    where = "/".join(path)
    if about.status == FORBIDDEN:
        fact = f"denied: {label} is expired, revoked or unknown there"
        hint = "log in again; a token may also lack the policy default, which lets it ask about itself"
        return Failure(TokenRefused, fact, hint)
    asked = yield Request("POST", ("v1", "sys", "capabilities-self"), body={"paths": [where]}, is_repeatable=True)
    given = items(data_of(asked).get(where) if asked.status == OK else None)
    if capability in given or "root" in given:
        fact = f"denied: {where} is refused although a policy gives {capability}"
        return Failure(PolicyDenied, fact, "look for bound addresses, a control group, or another namespace")
    names = [one for one in items(data_of(about).get("policies")) if isinstance(one, str) and is_plain(one)]
    known = f" (it has {', '.join(names[:_MOST_POLICIES])})" if names else ""
    fact = f"denied: no policy of {label} gives {capability} on {where}{known}"
    return Failure(PolicyDenied, fact, f'add to a policy of it: path "{where}" {{ capabilities = ["{capability}"] }}')


def _when(moment: object) -> str:
    return f" at {moment}" if isinstance(moment, str) and is_plain(moment) else ""
