"""The servers are what they claim: a real OpenBao, its logins and refusals, and a cluster that it asks."""

import json
import subprocess
import threading
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from tests.servers.certificates import HOST, Authority, Signer
from tests.servers.kubernetes import PATH, TokenReviews
from tests.servers.listener import Listener, Visit
from tests.servers.openbao import OpenBao, SealedOpenBao, Space, run_openbao
from tests.servers.process import PATIENCE_S, bao_binary

READ_PROD = 'path "secret/data/prod/*" {\n  capabilities = ["read"]\n}\n'
UNKNOWN = "hvs.unknown-CANARY"


@pytest.fixture
def prod(space: Space) -> str:
    """A policy that may read `secret/prod/db`, which is there."""
    space.put("secret/prod/db", password="db-CANARY")
    return space.policy("prod", READ_PROD)


def logged_in(space: Space, path: str, **body: str) -> str:
    status, answer = space.call("POST", f"auth/{path}", body, token="")
    assert status == 200, answer.get("errors")
    token: str = answer["auth"]["client_token"]
    return token


def may_read(space: Space, token: str) -> bool:
    status, answer = space.call("GET", "secret/data/prod/db", token=token)
    return status == 200 and answer["data"]["data"] == {"password": "db-CANARY"}


@pytest.mark.usefixtures("bao")
def test_a_server_that_has_ended_leaves_no_process_and_no_file(ca: Authority) -> None:
    with run_openbao(ca) as server:
        assert (server.folder / "log").is_file()
        assert server.call("GET", "auth/token/lookup-self")[1]["data"]["policies"] == ["root"]
    assert server.process.poll() == 0
    assert not server.folder.exists()


@pytest.mark.usefixtures("bao")
def test_a_server_ends_with_a_test_that_fails(ca: Authority) -> None:
    with pytest.raises(RuntimeError, match="the test"), run_openbao(ca) as server:
        raise RuntimeError("the test")
    assert server.process.poll() == 0


def test_spaces_do_not_see_each_other(openbao: OpenBao, space: Space) -> None:
    space.put("secret/a", key="a-CANARY")
    other = openbao.namespace()
    assert other.call("GET", "secret/data/a")[0] == 404
    assert other.call("GET", "secret/data/a", token=space.token)[0] == 403
    assert openbao.call("GET", "sys/namespaces", token=space.token)[0] == 403


def test_the_token_of_a_space_does_what_a_root_token_does(space: Space) -> None:
    assert "CANARY" in space.token
    assert "CANARY" not in repr(space)
    assert space.call("GET", "auth/token/lookup-self")[1]["data"]["id"] == space.token
    assert "sudo" in space.do("POST", "sys/capabilities-self", {"paths": ["secret/data/a"]})["capabilities"]


def test_both_versions_of_kv_are_there(space: Space) -> None:
    assert [space.put("secret/a/b", n=1), space.put("secret/a/b", n=2)] == [1, 2]
    assert space.do("GET", "secret/data/a/b?version=1")["data"]["data"] == {"n": 1}
    assert space.put("kv1/a/b", n=3, ttl="30s") == 0
    answer = space.do("GET", "kv1/a/b")
    assert (answer["data"]["n"], answer["lease_duration"]) == (3, 30)
    space.mount("more")
    assert space.put("more/a", n=4) == 1
    probe = space.do("GET", "sys/internal/ui/mounts/more/a")["data"]
    assert (probe["path"], probe["options"]["version"]) == ("more/", "2")


def test_the_client_of_openbao_itself_reads_a_space(space: Space, tmp_path: Path) -> None:
    space.put("secret/prod/db", password="db-CANARY")
    environ = {**space.environ(), "HOME": str(tmp_path)}
    command = [str(bao_binary()), "kv", "get", "-field=password", "secret/prod/db"]
    shown = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "db-CANARY"


def test_a_token_lasts_as_long_as_it_says(space: Space, prod: str) -> None:
    token = space.make_token([prod], ttl="30s", num_uses=2)
    assert space.issued == [token]
    assert [may_read(space, token), may_read(space, token), may_read(space, token)] == [True, True, False]


def test_approle_logs_in(space: Space, prod: str) -> None:
    role_id, secret_id = space.enable_approle("app", [prod])
    assert "CANARY" in secret_id
    assert may_read(space, logged_in(space, "approle/login", role_id=role_id, secret_id=secret_id))
    status, answer = space.call("POST", "auth/approle/login", {"role_id": role_id, "secret_id": UNKNOWN}, token="")
    assert (status, answer) == (400, {"errors": ["invalid role or secret ID"]})


def test_a_wrapped_secret_id_can_be_unwrapped_once(space: Space, prod: str) -> None:
    role_id, _ = space.enable_approle("app", [prod])
    wrapping = space.wrapped_secret_id("app")
    asked = space.call("POST", "sys/wrapping/lookup", {"token": wrapping}, token="")[1]
    assert asked["data"]["creation_path"] == "auth/approle/role/app/secret-id"
    status, answer = space.call("POST", "sys/wrapping/unwrap", token=wrapping)
    assert status == 200
    assert may_read(space, logged_in(space, "approle/login", role_id=role_id, secret_id=answer["data"]["secret_id"]))
    assert space.call("POST", "sys/wrapping/unwrap", token=wrapping)[0] == 400


def test_userpass_logs_in(space: Space, prod: str) -> None:
    space.enable_userpass("mia", "password-CANARY", [prod])
    assert may_read(space, logged_in(space, "userpass/login/mia", password="password-CANARY"))
    assert space.call("POST", "auth/userpass/login/mia", {"password": UNKNOWN}, token="")[0] == 400


def test_jwt_logs_in(space: Space, prod: str, signer: Signer) -> None:
    space.enable_jwt("app", [prod], signer)
    assert may_read(space, logged_in(space, "jwt/login", role="app", jwt=signer.sign()))
    bad = [signer.sign({"aud": "another"}), signer.sign(ttl_s=-600), Signer().sign()]
    assert [space.call("POST", "auth/jwt/login", {"role": "app", "jwt": jwt}, token="")[0] for jwt in bad] == [400] * 3


def test_kubernetes_logs_in(space: Space, prod: str, tokenreviews: TokenReviews) -> None:
    space.enable_kubernetes("app", [prod], tokenreviews, bound_service_account_namespaces="prod")
    good = tokenreviews.service_account("prod", "orders")
    assert may_read(space, logged_in(space, "kubernetes/login", role="app", jwt=good))
    bad = [
        tokenreviews.service_account("test", "orders"),
        tokenreviews.service_account("prod", "orders", ttl_s=-600),
        TokenReviews("", "", Signer()).service_account("prod", "orders"),
    ]
    statuses = [space.call("POST", "auth/kubernetes/login", {"role": "app", "jwt": jwt}, token="")[0] for jwt in bad]
    assert statuses == [403] * 3


def test_a_client_certificate_logs_in(space: Space, prod: str, ca: Authority) -> None:
    space.enable_cert("app", [prod], ca.pem)
    status, answer = space.call("POST", "auth/cert/login", {}, token="", context=ca.client_context(ca.client()))
    assert status == 200
    assert may_read(space, answer["auth"]["client_token"])
    status, answer = space.call("POST", "auth/cert/login", {}, token="", context=ca.client_context())
    assert (status, answer) == (400, {"errors": ["no client certificate found"]})
    stranger = ca.client_context(ca.of_unknown_ca())
    assert space.call("POST", "auth/cert/login", {}, token="", context=stranger)[0] == 400


def test_the_four_404s_look_different(space: Space) -> None:
    space.put("secret/gone", key="gone-CANARY")
    space.put("secret/lost", key="lost-CANARY")
    space.do("DELETE", "secret/data/gone")
    space.do("PUT", "secret/destroy/lost", {"versions": [1]})
    assert space.call("GET", "secret/data/never") == (404, {"errors": []})
    status, deleted = space.call("GET", "secret/data/gone")
    assert (status, deleted["data"]["data"], deleted["data"]["metadata"]["destroyed"]) == (404, None, False)
    assert deleted["data"]["metadata"]["deletion_time"]
    status, destroyed = space.call("GET", "secret/data/lost")
    assert (status, destroyed["data"]["data"], destroyed["data"]["metadata"]["destroyed"]) == (404, None, True)
    status, wrong = space.call("GET", "secret/gone")
    assert (status, "Invalid path" in wrong["warnings"][0]) == (404, True)


def test_the_two_403s_look_different(space: Space, prod: str) -> None:
    token = space.make_token([prod])
    live = space.call("GET", "secret/data/other", token=token)
    assert live == (403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
    assert space.call("GET", "auth/token/lookup-self", token=token)[0] == 200
    assert space.call("GET", "auth/token/lookup-self", token=UNKNOWN) == (403, {"errors": ["permission denied"]})
    assert space.call("POST", "auth/token/revoke-self", token=token)[0] == 204
    assert space.call("GET", "auth/token/lookup-self", token=token)[0] == 403


def test_a_server_can_be_sealed_and_unsealed(sealed_openbao: SealedOpenBao) -> None:
    server = sealed_openbao
    assert server.call("POST", "secret/data/a", {"data": {"key": "a-CANARY"}})[0] == 200
    server.seal()
    assert server.call("GET", "secret/data/a") == (503, {"errors": ["Vault is sealed"]})
    assert server.call("GET", "sys/health", token="")[0] == 503
    server.unseal()
    assert server.call("GET", "secret/data/a")[0] == 200


def test_a_server_can_be_stalled_and_stopped(sealed_openbao: SealedOpenBao) -> None:
    connection = HTTPSConnection(HOST, sealed_openbao.port, timeout=0.3)
    with sealed_openbao.stalled(), pytest.raises(TimeoutError):
        connection.connect()
    assert sealed_openbao.call("GET", "sys/health", token="")[0] == 200
    sealed_openbao.stop()
    with pytest.raises(ConnectionRefusedError):
        connection.connect()


def test_a_cluster_refuses_what_is_no_review(tokenreviews: TokenReviews, ca: Authority) -> None:
    def ask(path: str, body: object, token: str) -> int:
        connection = HTTPSConnection(HOST, int(tokenreviews.address.rpartition(":")[2]), context=ca.client_context())
        connection.request("POST", path, json.dumps(body), {"Authorization": f"Bearer {token}"})
        status = connection.getresponse().status
        connection.close()
        return status

    reviewer, spec = tokenreviews.reviewer_token(), {"token": "any-CANARY"}
    assert ask(PATH, {"kind": "TokenReview", "spec": spec}, reviewer) == 201
    assert ask(PATH, {"kind": "Pod", "spec": spec}, reviewer) == 400
    assert ask(PATH, {"spec": {}}, reviewer) == 400
    assert ask("/apis", {}, reviewer) == 404
    assert ask(PATH, {"spec": spec}, Signer().sign()) == 401


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("expired", "certificate has expired"),
        ("not_yet_valid", "certificate is not yet valid"),
        ("wrong_name", "IP address mismatch"),
        ("of_unknown_ca", "unable to get local issuer certificate|self.signed certificate"),
    ],
)
def test_a_bad_certificate_is_bad_in_its_own_way(ca: Authority, kind: str, reason: str) -> None:
    def say_nothing(visit: Visit) -> None:
        visit.hang_up()

    with Listener(say_nothing, getattr(ca, kind)().server_context()) as server:
        connection = HTTPSConnection(HOST, server.port, timeout=PATIENCE_S, context=ca.client_context())
        with pytest.raises(OSError, match=reason):
            connection.connect()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("listener")]
