"""The part of a Kubernetes API that a Vault asks: TokenReview, over TLS.

It follows the published protocol: `POST /apis/authentication.k8s.io/v1/tokenreviews` answers 201 with a
verdict in `status`, good or bad; what is not a TokenReview, or comes without the reviewer's own token, is
refused with a `Status`.
"""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

import jwt

from tests.servers.certificates import HOST, Authority, Signer

PATH: Final = "/apis/authentication.k8s.io/v1/tokenreviews"
VERSION: Final = "authentication.k8s.io/v1"
AUDIENCE: Final = "https://kubernetes.default.svc"

_SUBJECT: Final = "system:serviceaccount"
_POLL_S: Final = 0.01  # so long does closing wait at most
_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class TokenReviews:
    """A cluster that knows the service accounts of one signer.

    Attributes:
        address: what goes into `kubernetes_host`.
        ca_pem: what goes into `kubernetes_ca_cert`.
        asked: the audiences of each review that was asked for, in order.
    """

    address: str
    ca_pem: str
    signer: Signer
    asked: list[list[str]] = field(default_factory=list)

    def service_account(
        self, namespace: str, name: str, *, audience: str = AUDIENCE, ttl_s: float = 600, uid: str = ""
    ) -> str:
        """The token that a pod of a service account finds in its volume; a canary stands in its `jti`."""
        account = {"name": name, "uid": uid or _uid(namespace, name)}
        claims = {
            "sub": f"{_SUBJECT}:{namespace}:{name}",
            "aud": [audience],
            "kubernetes.io": {"namespace": namespace, "serviceaccount": account},
        }
        return self.signer.sign(claims, ttl_s=ttl_s)

    def reviewer_token(self) -> str:
        """The token that may ask for reviews."""
        return self.service_account("vault", "vault")

    def judge(self, token: str, audiences: list[str]) -> dict[str, Any]:
        """The `status` of a review."""
        try:
            claims = self.signer.verified(token)
        except jwt.ExpiredSignatureError:
            return _refusal("service account token has expired")
        except jwt.InvalidTokenError:
            return _refusal("invalid bearer token")
        accepted = [one for one in audiences or [AUDIENCE] if one in claims["aud"]]
        if not accepted:
            return _refusal("token audiences are invalid for the target audiences")
        inner = claims["kubernetes.io"]
        groups = [f"{_SUBJECT}s", f"{_SUBJECT}s:{inner['namespace']}", "system:authenticated"]
        user = {"username": claims["sub"], "uid": inner["serviceaccount"]["uid"], "groups": groups}
        return {"authenticated": True, "user": user, "audiences": accepted}


@contextmanager
def run_tokenreviews(authority: Authority, signer: Signer) -> Generator[TokenReviews]:
    """Answer reviews of tokens until the end."""
    with _Server((HOST, 0), _Handler) as server:
        server.socket = (
            authority.server()
            .server_context()
            .wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        )
        server.reviews = TokenReviews(f"https://{HOST}:{server.server_port}", authority.pem, signer)
        thread = Thread(target=server.serve_forever, args=[_POLL_S], name="tokenreviews")
        thread.start()
        try:
            yield server.reviews
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for them
    reviews: TokenReviews

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or does not trust us, is none of our worries."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_S  # a client that says nothing
    server: _Server

    def do_POST(self) -> None:
        reviews = self.server.reviews
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._is_known():
            self._refuse(401, "Unauthorized")
        elif self.path != PATH:
            self._refuse(404, "NotFound")
        elif (review := _review(content)) is None:
            self._refuse(400, "BadRequest")
        else:
            spec = review["spec"]
            audiences = spec.get("audiences") or []
            reviews.asked.append(audiences)
            head = {"kind": "TokenReview", "apiVersion": VERSION, "metadata": {"creationTimestamp": None}}
            self._say(201, {**head, "spec": spec, "status": reviews.judge(spec["token"], audiences)})

    def do_GET(self) -> None:
        self._refuse(405 if self.path == PATH else 404, "MethodNotAllowed" if self.path == PATH else "NotFound")

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 of its base class
        """Say nothing: a token stands in the request."""

    def _is_known(self) -> bool:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        known = scheme == "Bearer" and self.server.reviews.judge(token, [])
        return bool(known and known["authenticated"])

    def _refuse(self, status: int, reason: str) -> None:
        self._say(status, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status})

    def _say(self, status: int, answer: Mapping[str, Any]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")  # a connection that is kept would keep its thread
        self.end_headers()
        self.wfile.write(content)


def _review(content: bytes) -> dict[str, Any] | None:
    """A TokenReview, if it is one; as in a real API its kind may be left out, and OpenBao does so."""
    try:
        found: dict[str, Any] = json.loads(content)
        is_one = found.get("kind", "TokenReview") == "TokenReview" and found.get("apiVersion", VERSION) == VERSION
        return found if is_one and isinstance(found["spec"]["token"], str) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _refusal(error: str) -> dict[str, Any]:
    return {"authenticated": False, "user": {}, "error": error}


def _uid(namespace: str, name: str) -> str:
    return f"uid-of-{namespace}-{name}"
