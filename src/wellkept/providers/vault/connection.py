"""Where a Vault is and how to log in there, from a table of a file and from the environment. No I/O here.

Two rules of the design are held here. Rule 7: plain HTTP stays on this machine, or is asked for
by `plaintext = true`. Rule 9: a credential that does not stand in the file itself goes only to
an address that does not stand there either, or that a person has trusted.
"""

import os
from collections.abc import Callable, Mapping
from typing import Final, TypeVar, cast

from wellkept._dataclasses import dataclass
from wellkept._http.address import Address, find_address, parse_address
from wellkept._http.client import ATTEMPTS, TIMEOUT_S
from wellkept._http.tls import Trust
from wellkept.errors import UsageError
from wellkept.ports import ProviderTable
from wellkept.providers.vault.login import (
    SERVICE_ACCOUNT_TOKEN,
    AppRole,
    Certificate,
    GivenToken,
    Jwt,
    Login,
    NoToken,
    TokenFile,
    Userpass,
    WrappedToken,
)
from wellkept.providers.vault.options import VaultOptions
from wellkept.secret import Secret

T = TypeVar("T")

# OpenBao's own client looks for BAO_ first, and takes the names of Vault all the same.
_PREFIXES = ("BAO_", "VAULT_")
_OFF = frozenset({"", "0", "f", "false", "no"})
_MOST_ATTEMPTS = 10
_LONGEST_TIMEOUT = 6  # digits

_FILES: Final = frozenset({"token_file", "jwt_file"})
_TRUST: Final = frozenset({"ca", "server_name"})  # whoever chooses them chooses who may pose as the server
_LEADS: Final = frozenset({"address", "agent", "nodes", "proxy"}) | _TRUST


@dataclass(frozen=True, slots=True)
class Connection:
    """One configuration; two loads with equal ones share a session.

    Attributes:
        address: where the server is.
        login: how to log in.
        namespace: the namespace, or None.
        trust: whom to trust, and who we are.
        nodes: other addresses of the same cluster.
        proxy: an HTTP proxy, or None.
        timeout_s: how long one request may take.
        attempts: how often it is tried within that time.
        kv_version: the version of all key-value mounts, or None.
    """

    address: Address
    login: Login
    namespace: str | None = None
    trust: Trust = Trust()
    nodes: tuple[Address, ...] = ()
    proxy: Address | None = None
    timeout_s: float = TIMEOUT_S
    attempts: int = ATTEMPTS
    kv_version: int | None = None


def from_environ(environ: Mapping[str, str]) -> Connection:
    """What the environment alone says.

    Raises:
        UsageError: there is no address, or something in it cannot work.
    """
    return from_table(environ, ProviderTable("vault", "", VaultOptions(), frozenset(), frozenset()), lambda _: False)


def from_table(environ: Mapping[str, str], table: ProviderTable, is_trusted: Callable[[str], bool]) -> Connection:
    """What a table says, and the environment where it says nothing.

    Args:
        environ: the variables.
        table: the table; its options are VaultOptions.
        is_trusted: whether a person has trusted an origin.

    Raises:
        UsageError: there is no address, something cannot work, or rule 9 forbids it.
    """
    options, place = cast("VaultOptions", table.options), table.place
    _refuse_unverified(environ)
    name, text = _address_of(environ, options, place)
    shows = not table.referred & _LEADS
    address = parse_address(text, what=name, may_be_plain=options.plaintext, shows=shows)
    nodes = tuple(
        parse_address(one, what=f"{place}: nodes", may_be_plain=options.plaintext, shows=shows) for one in options.nodes
    )
    is_agent = options.agent is not None or (options.address is None and _variable(environ, "AGENT_ADDR") is not None)
    login, is_ambient = _login_of(environ, options, place, is_agent=is_agent)
    proxy = _proxy_of(environ, options, address)
    if table.given & _LEADS and (is_ambient or table.given & _FILES or table.referred):
        own = {str(found) for found in map(find_address, _addresses(environ)) if isinstance(found, Address)}
        poses = address.scheme == "https" and _differs(environ, options)
        is_led = options.address is not None or options.agent is not None or poses
        others = (*nodes, *([proxy] if options.proxy and proxy else []))
        for one in (*([address] if is_led else []), *others):
            if (str(one) not in own or (poses and one is address)) and not is_trusted(one.origin):
                raise _not_sent(table, one, login)
    return Connection(
        address,
        login,
        options.namespace or _variable(environ, "NAMESPACE"),
        _trust_of(environ, options),
        nodes,
        proxy,
        _timeout_of(environ, options),
        _attempts_of(environ),
        kv_version=options.kv_version,
    )


def _differs(environ: Mapping[str, str], options: VaultOptions) -> bool:
    """Whether a table says otherwise than the environment who may pose as the server."""
    pairs = ((options.ca, "CACERT"), (options.server_name, "TLS_SERVER_NAME"))
    return any(given is not None and str(given) != _variable(environ, name) for given, name in pairs)


def _not_sent(table: ProviderTable, one: Address, login: Login) -> UsageError:
    # A text that came by a reference is not shown: it may be anything.
    shown = "an address that a reference gives" if table.referred & _LEADS else one.origin
    fact = f"{table.name}: {table.place} leads to {shown}, and {login.label} comes from elsewhere: it is not sent"
    if table.referred & _LEADS:
        return UsageError(fact, hint="write the address itself, and wellkept trust it")
    hint = f"is that your Vault? wellkept trust {one.origin}, or say it by VAULT_ADDR and VAULT_CACERT, not in the file"
    return UsageError(fact, hint=hint)


def _proxy_of(environ: Mapping[str, str], options: VaultOptions, address: Address) -> Address | None:
    text = options.proxy or _variable(environ, "PROXY_ADDR") or _variable(environ, "HTTP_PROXY")
    if text is None or (address.is_loopback and options.proxy is None):  # the environment's is for the way out
        return None
    if address.scheme != "https":
        raise UsageError("vault: a proxy is for https:// only: it would read all else", hint="leave the proxy out")
    return parse_address(text, what="the proxy of Vault", may_be_plain=True)


def _refuse_unverified(environ: Mapping[str, str]) -> None:
    for prefix in _PREFIXES:
        if environ.get(f"{prefix}SKIP_VERIFY", "").lower() not in _OFF:
            raise UsageError(
                f"{prefix}SKIP_VERIFY: TLS always verifies here", hint=f"unset it, and name the CA: {prefix}CACERT"
            )


def _address_of(environ: Mapping[str, str], options: VaultOptions, place: str) -> tuple[str, str]:
    """The address as text, and what it is called."""
    if options.agent is not None or options.address is not None:
        key = "address" if options.agent is None else "agent"
        return f"{place}: {key}", options.agent or options.address or ""
    for name in ("AGENT_ADDR", "ADDR"):
        for prefix in _PREFIXES:
            if environ.get(prefix + name):
                return prefix + name, environ[prefix + name]
    raise UsageError(
        "vault: nobody says where it is: VAULT_ADDR is not set" + (f", and {place} gives no address" if place else ""),
        hint="export VAULT_ADDR=https://vault.example.com:8200",
    )


def _addresses(environ: Mapping[str, str]) -> list[str]:
    """The addresses that the environment names."""
    names = (prefix + name for prefix in _PREFIXES for name in ("ADDR", "AGENT_ADDR", "PROXY_ADDR", "HTTP_PROXY"))
    return [environ[name] for name in names if environ.get(name)]


def _login_of(environ: Mapping[str, str], options: VaultOptions, place: str, *, is_agent: bool) -> tuple[Login, bool]:
    """How to log in, and whether that takes something from the environment or the home folder."""
    kind = options.login or _implied(options)
    if kind == "token" or kind is None:
        return _token_of(environ, options, place, is_agent=is_agent)
    mount = {} if options.login_mount is None else {"mount": options.login_mount.strip("/")}
    role = options.role
    if kind == "approle":
        role_id = _needed(options.role_id, "role_id", kind, place)
        return AppRole(role_id, options.secret_id, options.wrapped_secret_id, **mount), False
    if kind == "userpass":
        username = _needed(options.username, "username", kind, place)
        password = _needed(options.password, "password", kind, place)
        return Userpass(username, password, **mount), False
    if kind == "cert":
        _needed(options.client_cert or _variable(environ, "CLIENT_CERT"), "client_cert", kind, place)
        return Certificate(role, **mount), options.client_cert is None
    file = None if options.jwt_file is None else str(options.jwt_file)
    if kind == "kubernetes":
        known = _needed(role, "role", kind, place)
        where = {"mount": "kubernetes", **mount}
        return Jwt(known, options.jwt, file or SERVICE_ACCOUNT_TOKEN, **where, kind="kubernetes"), True
    if options.jwt is None:
        _needed(file, "jwt or jwt_file", kind, place)
    return Jwt(_needed(role, "role", kind, place), options.jwt, file, **mount), False


def _implied(options: VaultOptions) -> str | None:
    """The login that the keys of a table belong to."""
    if options.role_id is not None:
        return "approle"
    if options.username is not None:
        return "userpass"
    return "jwt" if options.jwt is not None or options.jwt_file is not None else None


def _token_of(environ: Mapping[str, str], options: VaultOptions, place: str, *, is_agent: bool) -> tuple[Login, bool]:
    if options.wrapped_token is not None:
        return WrappedToken(options.wrapped_token), False
    if options.token is not None:
        return GivenToken(options.token, f"the token of {place}"), False
    if options.token_file is not None:
        return TokenFile(str(options.token_file)), True
    for prefix in _PREFIXES:
        text = environ.get(f"{prefix}TOKEN")
        if text:
            return GivenToken(Secret(text, name="vault token"), f"the token of {prefix}TOKEN"), True
    if is_agent:
        return NoToken(), False
    home = environ.get("HOME")
    if not home:
        raise UsageError("vault: there is no token: VAULT_TOKEN is not set", hint="export VAULT_TOKEN, or bao login")
    return TokenFile(os.path.join(home, ".vault-token"), is_last_resort=True), True  # noqa: PTH118 text in, text out


def _trust_of(environ: Mapping[str, str], options: VaultOptions) -> Trust:
    def either(option: object, name: str) -> str | None:
        return _variable(environ, name) if option is None else str(option)

    certificate = either(options.client_cert, "CLIENT_CERT")
    key = str(options.client_key) if options.client_key else None
    if options.client_cert is None:
        key = key or _variable(environ, "CLIENT_KEY")
    return Trust(
        either(options.ca, "CACERT"),
        None if options.ca is not None else _variable(environ, "CAPATH"),
        certificate,
        key,
        either(options.server_name, "TLS_SERVER_NAME"),
    )


def _needed(value: T | None, key: str, kind: str, place: str) -> T:
    if value is None:
        raise UsageError(f"{place}: login {kind} needs {key}", hint=f"add {key} = … to that table")
    return value


def _timeout_of(environ: Mapping[str, str], options: VaultOptions) -> float:
    if options.timeout is not None:
        return options.timeout.total_seconds()
    text = _variable(environ, "CLIENT_TIMEOUT")
    if text is None:
        return TIMEOUT_S
    number = text.removesuffix("s")
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_TIMEOUT):
        raise UsageError("VAULT_CLIENT_TIMEOUT: expected seconds", hint="write 10s")
    return float(number)


def _attempts_of(environ: Mapping[str, str]) -> int:
    text = _variable(environ, "MAX_RETRIES")
    if text is not None and not (text.isascii() and text.isdigit()):
        raise UsageError("VAULT_MAX_RETRIES: expected a whole number", hint="write 2")
    return ATTEMPTS if text is None else min(int(text[:4]) + 1, _MOST_ATTEMPTS)


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    return next((environ[prefix + name] for prefix in _PREFIXES if environ.get(prefix + name)), None)
