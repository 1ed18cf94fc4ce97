"""Certificates of a PKI engine, with answers that a good server does not give; test_real_pki.py has the others."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.providers.vault.dancing import path_of, perform
from wellkept._http.message import Failure, Request, Response
from wellkept.errors import Absent, Malformed, TokenRefused, Unreachable, WrongPath
from wellkept.providers.vault.dance import Faulty
from wellkept.providers.vault.mounts import Mount
from wellkept.providers.vault.pki import PKI_OPTIONS, Issued, issue

MOUNT = Mount(("pki",), 1, "pki")
NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
END = NOW + timedelta(hours=3)

_CA_KEY = ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def signed(key: ec.EllipticCurvePublicKey, subject: str, issuer: str) -> str:
    made = x509.CertificateBuilder(_name(issuer), _name(subject), key, 7, NOW, END).sign(_CA_KEY, SHA256())
    return made.public_bytes(Encoding.PEM).decode().strip()  # as Vault sends it


ROOT = signed(_CA_KEY.public_key(), "root", "root")
CA = signed(_CA_KEY.public_key(), "ca", "root")
KEY = _CA_KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
LEAF = signed(_CA_KEY.public_key(), "web", "ca")
GOOD: Mapping[str, object] = {
    "certificate": LEAF,
    "private_key": KEY,
    "issuing_ca": CA,
    "ca_chain": [CA, ROOT],
    "serial_number": "07:07",
    "expiration": int(END.timestamp()),
}


def made(rest: str, *answers: Response, **options: str) -> tuple[Issued | Failure, list[str]]:
    path = ("pki", *rest.split("/"))
    dance = issue(MOUNT, path, options, "the token", now=NOW.timestamp)
    found, asked = perform(dance, *answers)
    return found, [path_of(one) for one in asked]


def issued(**changes: object) -> Issued | Failure:
    """What becomes of an answer that is good but for some parts; None leaves one out."""
    data = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return made("issue/web", Response(200, {"data": data}), common_name="web")[0]


def test_a_good_answer_and_when_to_ask_again() -> None:
    found = issued()
    assert isinstance(found, Issued)
    assert found.values["fullchain"] == f"{LEAF}\n{CA}\n"
    assert found.values["ca_chain"] == f"{CA}\n{ROOT}\n"
    assert (found.serial, found.ttl_s) == ("07:07", 2 * 3600)
    assert "PRIVATE" not in repr(found)


def test_an_answer_without_a_chain_has_its_issuer() -> None:
    empty: Sequence[str] = ()
    for chain in (None, list(empty)):
        found = issued(ca_chain=chain)
        assert isinstance(found, Issued)
        assert found.values["ca_chain"] == f"{CA}\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"certificate": None},
        {"certificate": ""},
        {"certificate": 5},
        {"certificate": KEY},
        {"certificate": f"{LEAF}\n{CA}"},
        {"certificate": LEAF.replace("MII", "XXX", 1)},
        {"certificate": LEAF + "\n" + "x" * 100},
        {"certificate": "-----BEGIN CERTIFICATE-----\n" + "A" * 100_000 + "\n-----END CERTIFICATE-----"},
        {"private_key": None},
        {"private_key": LEAF},
        {"private_key": KEY.replace("EC PRIVATE", "PUBLIC")},
        {"issuing_ca": None},
        {"ca_chain": [CA, "CANARY"]},
        {"ca_chain": [CA] * 11},
        {"ca_chain": [None]},
        {"serial_number": None},
        {"serial_number": "a sentence of somebody else"},
        {"expiration": None},
        {"expiration": "soon"},
        {"expiration": -1},
    ],
)
def test_an_answer_of_another_shape_is_none(changes: Mapping[str, object]) -> None:
    found = issued(**changes)
    assert isinstance(found, Failure)
    assert (found.error, found.fact) == (Malformed, "its answer cannot be used (status 200)")


def test_a_certificate_that_is_over_points_at_the_clock() -> None:
    found = issued(expiration=int(NOW.timestamp()))
    assert isinstance(found, Failure)
    assert found.hint.startswith("set the clock")


def test_a_certificate_for_another_key_is_none_of_ours() -> None:
    found, _asked = made("sign/web", Response(200, {"data": GOOD}), common_name="web")
    assert isinstance(found, Failure)
    assert found.error is Malformed


def _sign(request: Request, key: ec.EllipticCurvePublicKey | None = None) -> Response:
    assert request.body is not None
    csr = x509.load_pem_x509_csr(str(request.body["csr"]).encode())
    assert csr.is_signature_valid
    public = key or csr.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    return Response(200, {"data": {**GOOD, "private_key": None, "certificate": signed(public, "web", "ca")}})


def test_our_key_does_not_go_out() -> None:
    options = {"common_name": "web", "alt_names": " a.internal,,b@c.internal ", "ip_sans": "::1", "life": "90m"}
    dance = issue(
        MOUNT, ("pki", "sign", "web"), {**options, "ttl": "5s", "optional": "true"}, "the token", now=NOW.timestamp
    )
    request = next(dance)
    assert request.body is not None
    assert set(request.body) == {"common_name", "alt_names", "ip_sans", "ttl", "csr"}
    assert (request.body["ttl"], request.body["alt_names"]) == ("5400s", "a.internal,b@c.internal")
    assert "CERTIFICATE REQUEST" not in repr(request)
    csr = x509.load_pem_x509_csr(str(request.body["csr"]).encode())
    names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.RFC822Name) == ["b@c.internal"]
    with pytest.raises(StopIteration) as end:
        dance.send(_sign(request))
    key = end.value.value.values["private_key"]
    assert key.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert key not in str(request.body)


@pytest.mark.parametrize(
    ("life", "sent"), [("24h", "86400s"), ("90m", "5400s"), ("30s", "30s"), ("7", "7s"), ("2d", "172800s")]
)
def test_a_life_is_sent_in_seconds(life: str, sent: str) -> None:
    request = next(issue(MOUNT, ("pki", "issue", "web"), {"life": life}, "the token"))
    assert request.body == {"ttl": sent}


@pytest.mark.parametrize("life", ["", "0", "0h", "-1h", "1.5h", "1h30m", "١h", "tomorrow", "9999999999"])
def test_a_life_that_is_none_costs_no_request(life: str) -> None:
    found, asked = made("issue/web", life=life)
    assert isinstance(found, Failure)
    assert (found.fact, asked) == ("life= is no time", [])


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("common_name", ""),
        ("common_name", "x" * 65),
        ("alt_names", "a b"),
        ("alt_names", "bücher.example"),
        ("alt_names", "*"),
        ("ip_sans", "localhost"),
        ("uri_sans", "spiffe://bücher/"),
    ],
)
@pytest.mark.parametrize("way", ["sign", "issue"])
def test_a_name_that_is_none_is_named_and_costs_no_request(way: str, option: str, text: str) -> None:
    found, asked = made(f"{way}/web", **{option: text})
    assert isinstance(found, Failure)
    assert found.error is Malformed
    assert found.fact.startswith(f"{option}= ")
    assert found.hint.startswith(f"write {option}=")
    assert asked == []


@pytest.mark.parametrize("rest", ["sign", "issue", "issuer/default/sign"])
def test_a_path_without_a_role(rest: str) -> None:
    found, asked = made(rest, common_name="web")
    assert isinstance(found, Failure)
    assert (found.error, asked) == (WrongPath, [])


@pytest.mark.parametrize(
    ("rest", "instead"),
    [
        ("ca", "cert/ca"),
        ("ca/pem", "cert/ca"),
        ("crl", "cert/crl"),
        ("crl/pem", "cert/crl"),
        ("ca_chain", "cert/ca_chain"),
        ("cert/ca/raw", "cert/ca"),
        ("cert/ca/raw/pem", "cert/ca"),
        ("issuer/default/pem", "issuer/default"),
        ("issuer/default/der", "issuer/default"),
    ],
)
def test_a_path_that_answers_with_a_file_has_another_with_json(rest: str, instead: str) -> None:
    found, asked = made(rest)
    assert isinstance(found, Failure)
    assert (found.error, found.hint, asked) == (Malformed, f"write pki/{instead}#certificate", [])


@pytest.mark.parametrize("data", [{}, {"certificate": ""}, {"certificate": ["x"]}, {"keys": ["CANARY"]}])
def test_what_holds_no_certificate_is_not_read(data: object) -> None:
    found, asked = made("config/urls", Response(200, {"data": data}))
    assert isinstance(found, Failure)
    assert (found.error, asked) == (Malformed, ["GET v1/pki/config/urls"])


def test_a_certificate_that_changes_has_another_mark() -> None:
    found = [made("cert/ca", Response(200, {"data": {"certificate": one}}))[0] for one in (CA, CA, ROOT)]
    marks = [one.serial for one in found if isinstance(one, Issued)]
    assert marks[0] == marks[1] != marks[2]


NO_HANDLER = Response(404, {"errors": ['no handler for route "pki/x". route entry not found.']})
UNSUPPORTED = Response(404, {"errors": ["1 error occurred:\n\t* unsupported path\n\n"]})


@pytest.mark.parametrize("rest", ["sign/web", "issue/web", "cert/ca"])
def test_a_mount_that_is_gone_or_another_one_is_a_wrong_path(rest: str) -> None:
    for answer in (NO_HANDLER, UNSUPPORTED):
        found, _asked = made(rest, answer)
        assert isinstance(found, Failure)
        assert found.error is WrongPath


def test_a_certificate_that_never_was() -> None:
    found, _asked = made("cert/00:11", Response(404, {"errors": []}))
    assert isinstance(found, Failure)
    assert found.error is Absent


@pytest.mark.parametrize(("status", "error"), [(400, Malformed), (404, Malformed), (418, Malformed)])
def test_an_answer_that_nobody_foresaw_shows_no_text_of_the_server(status: int, error: type) -> None:
    for rest in ("sign/web", "cert/ca"):
        found, _asked = made(rest, Response(status, "CANARY" if status == 404 else {"errors": ["CANARY"]}))
        assert isinstance(found, Failure)
        assert found.error is error
        assert "CANARY" not in f"{found.fact}{found.hint}"


@pytest.mark.parametrize(("rest", "capability"), [("sign/web", "update"), ("issue/web", "update"), ("cert/ca", "read")])
def test_a_refusal_asks_which_it_is(rest: str, capability: str) -> None:
    no, yes = Response(403, {"errors": ["permission denied"]}), Response(200, {"data": {}})
    found, _asked = made(rest, no, no)
    assert isinstance(found, Failure)
    assert found.error is TokenRefused
    found, _asked = made(rest, no, yes, yes)
    assert isinstance(found, Failure)
    assert f'path "pki/{rest}" {{ capabilities = ["{capability}"] }}' in found.hint


def test_a_fault_of_the_engine_is_not_one_of_the_server() -> None:
    gone = Failure(Unreachable, "unreachable: nobody listens", "look")
    told: list[Failure] = []
    for is_of_engine in (True, False):
        dance = issue(MOUNT, ("pki", "sign", "web"), {}, "the token")
        next(dance)
        with pytest.raises(StopIteration) as end:
            dance.throw(Faulty(gone, is_of_engine=is_of_engine))
        told.append(end.value.value)
    assert told == [told[0], gone]
    assert "the mount pki/ fails (500)" in told[0].fact


def test_options_do_not_take_the_names_of_common_ones() -> None:
    assert not PKI_OPTIONS & {"ttl", "optional", "plain", "version"}
