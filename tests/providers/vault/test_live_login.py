"""What a provider's table refers to is followed, too: the next login is made with what stands there by then."""

from pathlib import Path

import pytest

from tests.servers.space import Space
from wellkept import Secret, Settings, close, load

PATIENCE_S = 120.0  # a login that is refused is tried again after half a minute


class Config(Settings):
    password: Secret[str]


def secret_id(space: Space) -> str:
    made: str = space.do("POST", "auth/approle/role/orders/secret-id", {})["data"]["secret_id"]
    space.issued.append(made)
    return made


@pytest.mark.timeout(180)
def test_a_secret_id_that_is_replaced_in_its_file_is_the_one_of_the_next_login(space: Space, tmp_path: Path) -> None:
    space.policy("orders", 'path "secret/data/prod/db" { capabilities = ["read"] }')
    space.do("POST", "sys/auth/approle", {"type": "approle"})
    space.do("POST", "auth/approle/role/orders", {"token_policies": ["orders"], "token_ttl": "60s"})
    role_id = space.do("GET", "auth/approle/role/orders/role-id")["data"]["role_id"]
    file = tmp_path / "secrets" / "secret-id"
    file.parent.mkdir()
    first = secret_id(space)
    file.write_text(first, "utf-8")
    file.chmod(0o600)
    space.put("secret/prod/db", password="CANARY-one")
    (tmp_path / "Config.toml").write_text(
        'password = "${vault:secret/prod/db?ttl=500ms#password}"\n[wellkept.providers.vault]\n'
        f'role_id = "{role_id}"\nsecret_id = "${{file:{file}?ttl=200ms}}"\n',
        "utf-8",
    )
    environ = {name: text for name, text in space.environ().items() if "TOKEN" not in name}
    config = load(Config, files=[tmp_path / "Config.toml"], environ=environ, redact=False)
    assert config.password.reveal() == "CANARY-one"

    file.write_text(secret_id(space), "utf-8")
    space.do("POST", "auth/approle/role/orders/secret-id/destroy", {"secret_id": first})
    accessors = space.do("LIST", "auth/token/accessors")["data"]["keys"]
    for accessor in accessors:  # the token of the first login is gone, too
        about = space.do("POST", "auth/token/lookup-accessor", {"accessor": accessor})["data"]
        if about["path"] == "auth/approle/login":
            space.do("POST", "auth/token/revoke-accessor", {"accessor": accessor})
    space.put("secret/prod/db", password="CANARY-two")
    try:
        assert config.password.wait_newer("1", PATIENCE_S)
        assert config.password.reveal() == "CANARY-two"
    finally:
        close(config)
