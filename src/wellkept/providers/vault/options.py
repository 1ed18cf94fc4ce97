"""The keys of a table `[wellkept.providers.NAME]` that configures a Vault."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from wellkept._dataclasses import dataclass
from wellkept.secret import Secret


@dataclass(frozen=True, slots=True)
class VaultOptions:
    """How to reach a Vault, and how to log in; what is left out comes from VAULT_* and BAO_* of the environment.

    Attributes:
        address: where it is (`https://vault.example.com:8200`).
        agent: Vault Agent or Vault Proxy instead, which adds its own token (`unix:///run/agent.sock`).
        namespace: the namespace of all paths.
        nodes: addresses of the nodes of its cluster: a standby's redirect to one of them is followed.
        ca: path of the PEM certificates of its CA, instead of those of the system.
        client_cert: path of our own certificate, PEM, with its chain.
        client_key: path of its key, PEM without a passphrase; it may stand in the same file.
        server_name: the name that its certificate must have, where that is not the host of the address.
        plaintext: whether `http://` may leave this machine.
        proxy: an HTTP proxy to go through; none is taken from the general environment.
        timeout: how long one request may take, with look-up, TLS, retries and the whole answer.
        kv_version: the version of every key-value mount, whose path is then one word; left out, it is found out.
        login: how to log in; left out, it follows from the keys below.
        login_mount: where that method is mounted, where it is not at its own name.
        token: a token.
        token_file: path of a file with a token, read again when it is refused.
        wrapped_token: the wrapping token of a token.
        role_id: AppRole: the id of the role.
        secret_id: AppRole: the secret id.
        wrapped_secret_id: AppRole: the wrapping token of the secret id.
        username: userpass: the name.
        password: userpass: the password.
        role: the role of login kubernetes, jwt and cert.
        jwt: login jwt: the token.
        jwt_file: login jwt and kubernetes: path of a file with the token, read for each login.
    """

    address: str | None = None
    agent: str | None = None
    namespace: str | None = None
    nodes: tuple[str, ...] = ()
    ca: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    server_name: str | None = None
    plaintext: bool = False
    proxy: str | None = None
    timeout: timedelta | None = None
    kv_version: Literal[1, 2] | None = None
    login: Literal["token", "approle", "userpass", "kubernetes", "jwt", "cert"] | None = None
    login_mount: str | None = None
    token: Secret[str] | None = None
    token_file: Path | None = None
    wrapped_token: Secret[str] | None = None
    role_id: str | None = None
    secret_id: Secret[str] | None = None
    wrapped_secret_id: Secret[str] | None = None
    username: str | None = None
    password: Secret[str] | None = None
    role: str | None = None
    jwt: Secret[str] | None = None
    jwt_file: Path | None = None
