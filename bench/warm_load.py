"""What one more `load` of thirty settings costs in a process that has loaded before; masking is on."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness import Row, compare_calls
from pydantic import create_model
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from settings import OVERRIDES, TEN_SECRETS, TWENTY, write_config

from wellkept import Secret, Settings, close, load


class Twenty(Settings, env_prefix="APP_"):
    """What both classes have."""

    log_level: str
    bind_host: str
    bind_port: int
    workers: int
    backlog: int
    debug: bool
    access_log: bool
    metrics: bool
    allowed_origins: list[str]
    max_body_bytes: int
    request_timeout_s: float
    connect_timeout_s: float
    retries: int
    backoff_s: float
    sample_rate: float
    db_host: str
    db_port: int
    db_pool_size: int
    cache_port: int
    batch_size: int


class Plain(Twenty, env_prefix="APP_"):
    """Thirty settings without a secret."""

    service_name: str
    environment: str
    region: str
    log_format: str
    db_name: str
    db_user: str
    cache_host: str
    queue_name: str
    queue_host: str
    partner_url: str


class TenSecret(Twenty, env_prefix="APP_"):
    """Thirty settings; ten are secrets."""

    db_password: Secret[str]
    cache_password: Secret[str]
    queue_password: Secret[str]
    admin_password: Secret[str]
    api_key: Secret[str]
    partner_token: Secret[str]
    webhook_key: Secret[str]
    session_key: Secret[str]
    signing_key: Secret[str]
    smtp_password: Secret[str]


def measure() -> list[Row]:
    """Time `load` and letting go of what it made, beside making the same model of pydantic-settings.

    Raises:
        RuntimeError: the two did not read the same values.
    """
    with TemporaryDirectory() as folder:
        plain = write_config(folder)
        secret = write_config(folder, name="Secret.toml", text=TWENTY + TEN_SECRETS)
        os.environ.update(OVERRIDES)
        kept = load(Plain, files=[plain])  # masking stays on until this one is closed
        peer = _peer(plain)
        if peer().model_dump() != vars(kept):
            raise RuntimeError("pydantic-settings reads other values than wellkept")
        means = compare_calls(
            {
                "plain": lambda: close(load(Plain, files=[plain])),
                "secret": lambda: close(load(TenSecret, files=[secret])),
                "pydantic-settings": peer,
            },
            calls=100,
        )
        close(kept)
        for name in OVERRIDES:
            del os.environ[name]
    theirs = means["pydantic-settings"] * 1e3
    return [
        Row("warm `load`, 30 settings", means["plain"] * 1e3, "ms", "pydantic-settings", theirs, most=1),
        Row("warm `load`, 30 settings, 10 of them secrets", means["secret"] * 1e3, "ms", most=1),
    ]


def _peer(path: Path) -> type[BaseSettings]:
    """The model of pydantic-settings that reads the same settings."""

    class Base(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="APP_", toml_file=path)

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del init_settings, dotenv_settings, file_secret_settings
            return env_settings, TomlConfigSettingsSource(settings_cls)

    fields: dict[str, Any] = {
        name: (hint, ...) for one in (Twenty, Plain) for name, hint in one.__annotations__.items()
    }
    return create_model("Peer", __base__=Base, **fields)
