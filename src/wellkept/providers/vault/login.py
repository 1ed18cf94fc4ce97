"""The ways to log in, each a dance that ends in a token. No I/O here but reading files that are named."""

import re
from typing import Protocol

from wellkept._dataclasses import dataclass, field, replace
from wellkept._files import FileFault, read_file, without_final_newline
from wellkept._http.message import Failure, Request, Response
from wellkept.errors import LoginRefused, UsageError
from wellkept.events import BUS, Event, Topic
from wellkept.model import is_fit_step
from wellkept.providers.vault.dance import BAD_REQUEST, FORBIDDEN, OK, Dance, data_of, table, unexpected, whole
from wellkept.secret import Secret

SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 a path

# A text, not a pattern: only a login that unwraps compiles it, and compiling takes a millisecond. It has no
# prefix: anybody could wrap a secret of a mount whose name ends so. The namespace is not part of what the server says.
_TOKEN_PATH = r"auth/(?:token/create(?:/[^/]+|-orphan)?|[^/]+(?:/[^/]+)*/login(?:/[^/]+)?)"  # noqa: S105 a pattern


@dataclass(frozen=True, slots=True)
class Token:
    """What a login ends in.

    Attributes:
        secret: the token, or None where requests go without one: Vault Agent adds its own.
        lifetime_s: how long it lives from now on, or None where that is not known.
        again: the login to use next time, where it is another: a wrapped secret is unwrapped once.
        is_ours: whether this login made it: then `lifetime_s` is exact, None is without an end, and we may revoke it.
        is_renewable: whether asking may make its life longer, as far as the login was told.
    """

    secret: Secret[str] | None
    lifetime_s: int | None = None
    again: "Login | None" = None
    is_ours: bool = False
    is_renewable: bool = False


class Login(Protocol):
    """A way to log in."""

    @property
    def label(self) -> str:
        """What errors call it: `the token of VAULT_TOKEN`, `login approle`."""
        ...

    @property
    def may_repeat(self) -> bool:
        """Whether doing it again may give another token."""
        ...

    @property
    def is_free(self) -> bool:
        """Whether it takes no request."""
        ...

    def dance(self) -> Dance[Token | Failure]:
        """Log in."""
        ...


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token that is at hand.

    Attributes:
        secret: the token.
        label: where it came from.
    """

    secret: Secret[str]
    label: str = "the token that was given"
    may_repeat: bool = field(default=False, init=False)
    is_free: bool = field(default=True, init=False)

    def dance(self) -> Dance[Token | Failure]:
        """Take it."""
        yield from ()
        return Token(self.secret)


@dataclass(frozen=True, slots=True)
class NoToken:
    """No login: Vault Agent or Vault Proxy, to which requests go, adds its own token."""

    label: str = field(default="the agent's own token", init=False)
    may_repeat: bool = field(default=False, init=False)
    is_free: bool = field(default=True, init=False)

    def dance(self) -> Dance[Token | Failure]:
        """Take none."""
        yield from ()
        return Token(None)


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file that holds a token: `~/.vault-token`, or the sink of Vault Agent, which is read again when it is refused.

    Attributes:
        path: the file; one final newline is not part of the token.
        is_last_resort: whether nobody named it: it is where a token is looked for in the end.
    """

    path: str
    is_last_resort: bool = False
    may_repeat: bool = field(default=True, init=False)
    is_free: bool = field(default=True, init=False)

    @property
    def label(self) -> str:
        """What errors call it."""
        return f"the token in {self.path}"

    def dance(self) -> Dance[Token | Failure]:
        """Read it."""
        yield from ()
        text = _read_text(self.path, "export VAULT_TOKEN, or bao login" if self.is_last_resort else None)
        return text if isinstance(text, Failure) else Token(text)


@dataclass(frozen=True, slots=True)
class WrappedToken:
    """A token that comes wrapped: whoever unwraps it first has it, and everybody else is told.

    Attributes:
        wrapping_token: the token of the wrapping.
    """

    wrapping_token: Secret[str]
    label: str = field(default="the wrapped token", init=False)
    may_repeat: bool = field(default=False, init=False)
    is_free: bool = field(default=False, init=False)

    def dance(self) -> Dance[Token | Failure]:
        """Unwrap it."""
        answer = yield from _unwrapped(self.wrapping_token, _TOKEN_PATH, "a token")
        if isinstance(answer, Failure):
            return answer
        made = _token(answer)
        if made is None or made.secret is None:
            return unexpected(answer)
        return Token(made.secret, made.lifetime_s, GivenToken(made.secret, self.label))


@dataclass(frozen=True, slots=True)
class AppRole:
    """A role with its id and a secret id.

    Attributes:
        role_id: the id of the role.
        secret_id: the secret id, or None where the role needs none.
        wrapped_secret_id: the token of a wrapping that holds the secret id, instead.
        mount: where the method is mounted.
    """

    role_id: str
    secret_id: Secret[str] | None = None
    wrapped_secret_id: Secret[str] | None = None
    mount: str = "approle"
    label: str = field(default="login approle", init=False)
    may_repeat: bool = field(default=True, init=False)
    is_free: bool = field(default=False, init=False)

    def dance(self) -> Dance[Token | Failure]:
        """Unwrap the secret id where it is wrapped, and log in."""
        secret_id, again = self.secret_id, None
        if self.wrapped_secret_id is not None and secret_id is None:
            made_by = f"auth/{re.escape(self.mount)}/role/[^/]+/secret-id"
            answer = yield from _unwrapped(self.wrapped_secret_id, made_by, "a secret id")
            if isinstance(answer, Failure):
                return answer
            text = data_of(answer).get("secret_id")
            if not isinstance(text, str) or not text:
                return unexpected(answer)
            secret_id = Secret(text, name="secret_id")
            again = AppRole(self.role_id, secret_id, mount=self.mount)
        body: dict[str, object] = {"role_id": self.role_id}
        if secret_id is not None:
            body["secret_id"] = secret_id.reveal()
        answer = yield _login_request(self.mount, (), body)
        return _answered(self, answer, "a role id or secret id that is wrong, used up or expired", again)


@dataclass(frozen=True, slots=True)
class Userpass:
    """A user with a password.

    Attributes:
        username: the name of the user.
        password: the password.
        mount: where the method is mounted.
    """

    username: str
    password: Secret[str]
    mount: str = "userpass"
    label: str = field(default="login userpass", init=False)
    may_repeat: bool = field(default=True, init=False)
    is_free: bool = field(default=False, init=False)

    def dance(self) -> Dance[Token | Failure]:
        """Log in."""
        answer = yield _login_request(self.mount, (self.username,), {"password": self.password.reveal()})
        return _answered(self, answer, "a wrong name or password")


@dataclass(frozen=True, slots=True)
class Jwt:
    """A JSON Web Token of some issuer, from the outside or from a file.

    Attributes:
        role: the role of the method.
        jwt: the token, or None where a file holds it.
        file: the file, read anew for each login.
        mount: where the method is mounted.
        kind: the method: `jwt` or `kubernetes`.
    """

    role: str
    jwt: Secret[str] | None = None
    file: str | None = None
    mount: str = "jwt"
    kind: str = "jwt"
    may_repeat: bool = field(default=True, init=False)
    is_free: bool = field(default=False, init=False)

    @property
    def label(self) -> str:
        """What errors call it."""
        return f"login {self.kind}"

    def dance(self) -> Dance[Token | Failure]:
        """Log in."""
        jwt = self.jwt if self.jwt is not None else _read_text(self.file or "")
        if isinstance(jwt, Failure):
            return jwt
        answer = yield _login_request(self.mount, (), {"role": self.role, "jwt": jwt.reveal()})
        return _answered(self, answer, "a role that is not there or does not accept this JWT")


def Kubernetes(role: str, *, file: str = SERVICE_ACCOUNT_TOKEN, mount: str = "kubernetes") -> Jwt:  # noqa: N802 it stands beside classes
    """The login of a pod: the JWT of its service account, which kubelet renews.

    Args:
        role: the role of the method.
        file: where the JWT is mounted.
        mount: where the method is mounted.
    """
    return Jwt(role, file=file, mount=mount, kind="kubernetes")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The TLS certificate with which the connection is made.

    Attributes:
        name: the role of the method, or None to let Vault find it.
        mount: where the method is mounted.
    """

    name: str | None = None
    mount: str = "cert"
    label: str = field(default="login cert", init=False)
    may_repeat: bool = field(default=True, init=False)
    is_free: bool = field(default=False, init=False)

    def dance(self) -> Dance[Token | Failure]:
        """Log in."""
        answer = yield _login_request(self.mount, (), {} if self.name is None else {"name": self.name})
        return _answered(self, answer, "no client certificate that a role accepts: give client_cert and client_key")


def _login_request(mount: str, more: tuple[str, ...], body: dict[str, object]) -> Request:
    steps = (*mount.split("/"), "login", *more)
    names = (one.replace("\\", "") or "." for one in more)  # LDAP's CORP\jo is a name, and is sent encoded
    if not all(map(is_fit_step, (*mount.split("/"), *names))):
        body.clear()  # a traceback may show this frame
        raise UsageError("vault: a login_mount or a username cannot be part of a path", hint="write its name")
    # Not repeated: a secret id may be good for one use.
    return Request("POST", ("v1", "auth", *steps), body=body, is_repeatable=False)


def _answered(login: Login, response: Response, wrong: str, again: Login | None = None) -> Token | Failure:
    if response.status in {BAD_REQUEST, FORBIDDEN}:
        hint = "look at the credentials and at the role; the audit log of the server says more"
        return Failure(LoginRefused, f"denied: {login.label} is refused: {wrong}", hint)
    made = _token(response)
    if made is None:
        missing = response.status != OK
        hint = "is the method mounted there? give login_mount"
        return Failure(LoginRefused, f"denied: {login.label} is not there", hint) if missing else unexpected(response)
    return replace(made, again=again, is_ours=True)


def _token(response: Response) -> Token | None:
    auth = table(table(response.data).get("auth"))
    text, lifetime_s = auth.get("client_token"), whole(auth.get("lease_duration"))
    if response.status != OK or not isinstance(text, str) or not text or lifetime_s is None:
        return None
    is_renewable = auth.get("renewable") is True
    return Token(Secret(text, name="vault token"), lifetime_s or None, is_renewable=is_renewable)


def _unwrapped(wrapping: Secret[str], made_by: str, what: str) -> Dance[Response | Failure]:
    """Look at a wrapping before it is used up, then unwrap it."""
    looked = yield Request("POST", ("v1", "sys", "wrapping", "lookup"), body={"token": wrapping.reveal()})
    if looked.status in {BAD_REQUEST, FORBIDDEN}:
        return _intercepted(what)
    path = data_of(looked).get("creation_path")
    if not isinstance(path, str) or not re.fullmatch(made_by, path):
        fact = f"denied: the wrapping token does not wrap {what}: somebody may have put another in its place"
        return _alarm(Failure(LoginRefused, fact, _ALARMED))
    answer = yield Request(
        "POST", ("v1", "sys", "wrapping", "unwrap"), headers={"X-Vault-Token": wrapping}, is_repeatable=False
    )
    if answer.status in {BAD_REQUEST, FORBIDDEN}:  # between the two
        return _intercepted(what)
    return answer if answer.status == OK else unexpected(answer)


_ALARMED = "treat it as an interception: revoke what was wrapped, look at the audit log, then wrap a new one"


def _intercepted(what: str) -> Failure:
    fact = f"denied: the wrapping token of {what} is used up, expired or unknown: somebody else may have unwrapped it"
    return _alarm(Failure(LoginRefused, fact, _ALARMED))


def _alarm(failure: Failure) -> Failure:
    BUS.publish(Event(Topic.INTERCEPTED, "vault", failure.fact))
    return failure


def _read_text(path: str, hint: str | None = None) -> Secret[str] | Failure:
    try:
        text = without_final_newline(read_file(path))[0].decode()
    except FileFault as fault:
        # Not absent, whatever the fault: that word is for what a reference names.
        return Failure(
            LoginRefused, f"denied: no login without {fault.message}", hint or fault.hint or "name the right file"
        )
    except UnicodeDecodeError:
        text = ""
    if not text:
        return Failure(LoginRefused, f"denied: no login without {path}: it holds no text", "name the right file")
    return Secret(text, name="vault login")
