"""One namespace of a real OpenBao, and the set-up of a test in it: one line each."""

import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.servers.certificates import AUDIENCE, Signer

UPGRADING = 400
ALL = '["create", "read", "update", "patch", "delete", "list", "scan", "sudo"]'


class Server(Protocol):
    """What a space needs of its server."""

    @property
    def address(self) -> str: ...
    @property
    def ca_file(self) -> Path: ...
    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        namespace: str | None = None,
        headers: Mapping[str, str] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> tuple[int, dict[str, Any]]: ...


class TokenReview(Protocol):
    """What the Kubernetes login needs of the API of a cluster."""

    @property
    def address(self) -> str: ...
    @property
    def ca_pem(self) -> str: ...
    def reviewer_token(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Space:
    """A namespace of its own for one test, with the KV mounts `secret` (version 2) and `kv1` (version 1).

    Attributes:
        server: the server that it is part of.
        name: what goes into `X-Vault-Namespace`.
        token: may do everything in the namespace, and nothing outside; it holds a canary.
        issued: every secret that OpenBao made up for this space; these hold no canary.
    """

    server: Server
    name: str
    token: str = field(repr=False)
    issued: list[str] = field(default_factory=list, repr=False)
    _logins: set[str] = field(default_factory=set, repr=False)

    @property
    def address(self) -> str:
        """The address of the server."""
        return self.server.address

    @property
    def ca_file(self) -> Path:
        """PEM path of the CA of the server."""
        return self.server.ca_file

    def environ(self, token: str | None = None) -> dict[str, str]:
        """What leads a client into this space: with its own token, or with the one given; `""` is none."""
        found = {"VAULT_ADDR": self.address, "VAULT_CACERT": str(self.ca_file), "VAULT_NAMESPACE": self.name}
        used = self.token if token is None else token
        return {**found, "VAULT_TOKEN": used} if used else found

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """One request into this space: its status and what it says; `token=""` sends none."""
        used = self.token if token is None else token
        return self.server.call(method, path, body, token=used, namespace=self.name, headers=headers, context=context)

    def do(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """One request into this space that is taken.

        Raises:
            AssertionError: it is refused; the text of the server stands in it.
        """
        status, answer = self.call(method, path, body, headers=headers)
        while status == UPGRADING and "Upgrading from" in str(answer.get("errors")):  # a KV mount that is seconds old
            time.sleep(0.05)
            status, answer = self.call(method, path, body, headers=headers)
        if status not in {200, 204}:
            raise AssertionError(f"{method} {path}: {status} {answer.get('errors')}")
        return answer

    def put(self, path: str, /, **values: Any) -> int:  # noqa: ANN401 a secret holds any JSON
        """Write a secret of a KV mount, `secret/prod/db`: its version, or 0 where there are none."""
        mount, _, name = path.partition("/")
        if mount == "kv1":
            self.do("POST", path, values)
            return 0
        version: int = self.do("POST", f"{mount}/data/{name}", {"data": values})["data"]["version"]
        return version

    def mount(self, path: str, version: int = 2) -> None:
        """Mount one more KV engine; `put` takes it for version 2."""
        self.do("POST", f"sys/mounts/{path}", {"type": "kv", "options": {"version": str(version)}})

    def policy(self, name: str, hcl: str) -> str:
        """Write a policy: its name."""
        self.do("PUT", f"sys/policies/acl/{name}", {"policy": hcl})
        return name

    def make_token(self, policies: Sequence[str] = (), *, ttl: str = "1h", num_uses: int = 0, **options: Any) -> str:  # noqa: ANN401 of the API
        """A token of this space. OpenBao makes up its text, so it holds no canary: it stands in `issued`."""
        body = {"policies": list(policies), "ttl": ttl, "num_uses": num_uses, **options}
        return self._issue(self.do("POST", "auth/token/create", body)["auth"]["client_token"])

    def enable_approle(self, role: str, policies: Sequence[str] = (), **options: Any) -> tuple[str, str]:  # noqa: ANN401 of the API
        """A role of AppRole: its role id, and a secret id with a canary in it; the options are the role's."""
        self._enable("approle")
        self.do("POST", f"auth/approle/role/{role}", {"token_policies": list(policies), **options})
        role_id: str = self.do("GET", f"auth/approle/role/{role}/role-id")["data"]["role_id"]
        secret_id = f"secret-id-CANARY-{self.name}-{role}"
        self.do("POST", f"auth/approle/role/{role}/custom-secret-id", {"secret_id": secret_id})
        return role_id, secret_id

    def wrapped_secret_id(self, role: str, ttl: str = "60s") -> str:
        """A wrapping token around a new secret id of a role of AppRole; it stands in `issued`."""
        answer = self.do("POST", f"auth/approle/role/{role}/secret-id", {}, headers={"X-Vault-Wrap-TTL": ttl})
        return self._issue(answer["wrap_info"]["token"])

    def enable_userpass(self, user: str, password: str, policies: Sequence[str] = (), **options: Any) -> None:  # noqa: ANN401 of the API
        """A user with a password."""
        self._enable("userpass")
        self.do(
            "POST", f"auth/userpass/users/{user}", {"password": password, "token_policies": list(policies), **options}
        )

    def enable_jwt(self, role: str, policies: Sequence[str], signer: Signer, **options: Any) -> None:  # noqa: ANN401 of the API
        """A role that takes what the signer signs for the audience `vault`."""
        self._enable("jwt")
        self.do(
            "POST", "auth/jwt/config", {"jwt_validation_pubkeys": [signer.public_pem], "bound_issuer": signer.issuer}
        )
        usual = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": [AUDIENCE]}
        self.do("POST", f"auth/jwt/role/{role}", {**usual, "token_policies": list(policies), **options})

    def enable_kubernetes(self, role: str, policies: Sequence[str], tokenreview: TokenReview, **options: Any) -> None:  # noqa: ANN401 of the API
        """A role for every service account of a cluster."""
        self._enable("kubernetes")
        config = {
            "kubernetes_host": tokenreview.address,
            "kubernetes_ca_cert": tokenreview.ca_pem,
            "token_reviewer_jwt": tokenreview.reviewer_token(),
            "disable_local_ca_jwt": True,
        }
        self.do("POST", "auth/kubernetes/config", config)
        usual = {"bound_service_account_names": "*", "bound_service_account_namespaces": "*"}
        self.do("POST", f"auth/kubernetes/role/{role}", {**usual, "token_policies": list(policies), **options})

    def enable_cert(self, name: str, policies: Sequence[str], ca_pem: str, **options: Any) -> None:  # noqa: ANN401 of the API
        """A role for every client certificate of a CA."""
        self._enable("cert")
        self.do("POST", f"auth/cert/certs/{name}", {"certificate": ca_pem, "token_policies": list(policies), **options})

    def _enable(self, login: str) -> None:
        if login not in self._logins:
            self.do("POST", f"sys/auth/{login}", {"type": login})
            self._logins.add(login)

    def _issue(self, secret: str) -> str:
        self.issued.append(secret)
        return secret
