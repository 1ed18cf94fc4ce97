"""The dances of the logins, without a socket; tests/providers/vault/test_real_login.py does them for real."""

from pathlib import Path

import pytest

from tests.providers.vault.dancing import path_of, perform
from wellkept._http.message import Failure, Response
from wellkept.errors import LoginRefused, Malformed, UsageError
from wellkept.events import BUS, Event, Topic
from wellkept.providers.vault import AppRole, Certificate, Jwt, Kubernetes, TokenFile, Userpass, WrappedToken
from wellkept.providers.vault.login import GivenToken, Login, NoToken, Token
from wellkept.secret import Secret

GOOD = Response(200, {"auth": {"client_token": "CANARY-token", "lease_duration": 3600}})
WRAPPING: Secret[str] = Secret("CANARY-wrapping")


def lookup(path: str) -> Response:
    return Response(200, {"data": {"creation_path": path}})


@pytest.mark.parametrize(
    ("login", "path", "body"),
    [
        (
            AppRole("r1", Secret("CANARY-s")),
            "v1/auth/approle/login",
            {"role_id": "r1", "secret_id": "CANARY-s"},
        ),
        (AppRole("r1", mount="team/approle"), "v1/auth/team/approle/login", {"role_id": "r1"}),
        (Userpass("jo", Secret("CANARY-p")), "v1/auth/userpass/login/jo", {"password": "CANARY-p"}),
        (Jwt("web", Secret("CANARY-jwt")), "v1/auth/jwt/login", {"role": "web", "jwt": "CANARY-jwt"}),
        (Certificate("web"), "v1/auth/cert/login", {"name": "web"}),
        (Certificate(), "v1/auth/cert/login", {}),
    ],
    ids=["approle", "approle elsewhere", "userpass", "jwt", "cert", "any cert"],
)
def test_a_login_is_one_request_that_is_never_repeated(login: Login, path: str, body: dict[str, str]) -> None:
    token, asked = perform(login.dance(), GOOD)
    assert isinstance(token, Token)
    assert token.secret == "CANARY-token"
    assert token.lifetime_s == 3600
    assert [path_of(one) for one in asked] == [f"POST {path}"]
    assert asked[0].body == body
    assert not asked[0].may_repeat


def test_a_pod_logs_in_with_the_jwt_of_its_service_account(tmp_path: Path) -> None:
    file = tmp_path / "jwt.secret"
    file.write_text("CANARY-jwt\n")
    _token, asked = perform(Kubernetes("orders", file=str(file)).dance(), GOOD)
    assert path_of(asked[0]) == "POST v1/auth/kubernetes/login"
    assert asked[0].body == {"role": "orders", "jwt": "CANARY-jwt"}


def test_a_wrapped_secret_id_is_looked_at_before_it_is_unwrapped_and_kept_for_the_next_login() -> None:
    token, asked = perform(
        AppRole("r1", wrapped_secret_id=WRAPPING).dance(),
        lookup("auth/approle/role/orders/secret-id"),
        Response(200, {"data": {"secret_id": "CANARY-sid"}}),
        GOOD,
    )
    assert [path_of(one) for one in asked] == [
        "POST v1/sys/wrapping/lookup",
        "POST v1/sys/wrapping/unwrap",
        "POST v1/auth/approle/login",
    ]
    assert isinstance(token, Token)
    assert token.again == AppRole("r1", Secret("CANARY-sid"))


@pytest.mark.parametrize(
    "path",
    [
        "sys/wrapping/wrap",
        "secret/data/x",
        "auth/approle/role/a/b/secret-id",
        "kv/auth/approle/role/a/secret-id",
        7,
        None,
    ],
)
def test_a_wrapping_of_something_else_is_an_alarm_and_is_not_unwrapped(path: str) -> None:
    events: list[Event] = []
    stop = BUS.subscribe(events.append)
    failure, asked = perform(AppRole("r1", wrapped_secret_id=WRAPPING).dance(), lookup(path))
    stop()
    assert isinstance(failure, Failure)
    assert failure.error is LoginRefused
    assert "another in its place" in failure.fact
    assert len(asked) == 1
    assert [one.topic for one in events] == [Topic.INTERCEPTED]


@pytest.mark.parametrize("answers", [(Response(400),), (lookup("auth/token/create"), Response(400))])
def test_a_wrapping_that_somebody_else_has_unwrapped_is_an_alarm(answers: tuple[Response, ...]) -> None:
    events: list[Event] = []
    stop = BUS.subscribe(events.append)
    failure, _asked = perform(WrappedToken(WRAPPING).dance(), *answers)
    stop()
    assert isinstance(failure, Failure)
    assert "somebody else may have unwrapped it" in failure.fact
    assert "interception" in failure.hint
    assert [one.topic for one in events] == [Topic.INTERCEPTED]
    assert "CANARY" not in f"{events}{failure}"


def test_a_wrapped_token_is_kept_since_it_can_be_unwrapped_once_only() -> None:
    token, _asked = perform(WrappedToken(WRAPPING).dance(), lookup("auth/token/create"), GOOD)
    assert isinstance(token, Token)
    assert token.again is not None
    again, asked = perform(token.again.dance())
    assert isinstance(again, Token)
    assert again.secret == "CANARY-token"
    assert not asked


@pytest.mark.parametrize(
    "login", [AppRole("r1"), Userpass("jo", Secret("CANARY-p")), Certificate(), Jwt("w", WRAPPING)]
)
@pytest.mark.parametrize(("status", "word"), [(400, "is refused"), (403, "is refused"), (404, "is not there")])
def test_a_login_that_is_refused_says_which_and_shows_nothing(login: Login, status: int, word: str) -> None:
    failure, _asked = perform(login.dance(), Response(status, {"errors": ["CANARY-echo"]}))
    assert isinstance(failure, Failure)
    assert failure.error is LoginRefused
    assert failure.fact.startswith("denied: ")
    assert word in failure.fact
    assert "CANARY" not in f"{failure}"


@pytest.mark.parametrize(
    "auth",
    [
        None,
        [],
        {},
        {"client_token": ""},
        {"client_token": 7, "lease_duration": 1},
        {"client_token": "CANARY", "lease_duration": -1},
        {"client_token": "CANARY", "lease_duration": True},
        {"client_token": "CANARY", "lease_duration": "3600"},
        {"client_token": "CANARY", "lease_duration": 10**30},
    ],
    ids=range(9),
)
def test_an_answer_without_a_token_that_can_be_used_is_malformed(auth: object) -> None:
    failure, _asked = perform(Certificate().dance(), Response(200, {"auth": auth}))
    assert isinstance(failure, Failure)
    assert failure.error is Malformed


def test_a_token_without_an_end_has_no_lifetime() -> None:
    answer = Response(200, {"auth": {"client_token": "CANARY", "lease_duration": 0}})
    token, _asked = perform(Certificate().dance(), answer)
    assert isinstance(token, Token)
    assert token.lifetime_s is None


def test_what_is_at_hand_takes_no_request(tmp_path: Path) -> None:
    file = tmp_path / "token.secret"
    file.write_text("CANARY-in-file\n")
    for login, expected in (
        (GivenToken(Secret("CANARY-given")), "CANARY-given"),
        (TokenFile(str(file)), "CANARY-in-file"),
        (NoToken(), None),
    ):
        token, asked = perform(login.dance())
        assert isinstance(token, Token)
        assert (None if token.secret is None else token.secret.reveal()) == expected
        assert not asked


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_token_is_a_denial_and_never_an_absence(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "token.secret"
    if content is not None:
        file.write_bytes(content)
    failure, _asked = perform(TokenFile(str(file)).dance())
    assert isinstance(failure, Failure)
    assert failure.error is LoginRefused
    assert str(file) in failure.fact


@pytest.mark.parametrize(
    "login", [Userpass("../x", Secret("CANARY")), AppRole("r", mount="../../secret"), Certificate(mount="a//b")]
)
def test_a_login_never_leaves_its_place_in_the_api(login: Login) -> None:
    with pytest.raises(UsageError, match="cannot be part of a path") as caught:
        next(login.dance())
    assert "CANARY" not in str(caught.value)
