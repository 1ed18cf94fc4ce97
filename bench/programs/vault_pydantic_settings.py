"""Reads thirty settings and ten secrets of a Vault with pydantic-settings and hvac, and prints them."""

from typing import Any

from hvac import Client
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class VaultSource(PydanticBaseSettingsSource):
    """Takes each secret from a path of its own."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Read one secret."""
        del field
        path = f"payments/{field_name}"
        answer = self._client.secrets.kv.v2.read_secret_version(path, raise_on_deleted_version=True)
        return answer["data"]["data"]["value"], field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read all secrets, one by one."""
        self._client = Client()
        fields = self.settings_cls.model_fields.items()
        return {name: self.get_field_value(field, name)[0] for name, field in fields if field.annotation is SecretStr}


class Config(BaseSettings):
    """The settings of a service."""

    model_config = SettingsConfigDict(env_prefix="APP_", toml_file="Config.toml")

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
    db_password: SecretStr
    cache_password: SecretStr
    queue_password: SecretStr
    admin_password: SecretStr
    api_key: SecretStr
    partner_token: SecretStr
    webhook_key: SecretStr
    session_key: SecretStr
    signing_key: SecretStr
    smtp_password: SecretStr

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read variables over the Vault over the file, and nothing else."""
        del init_settings, dotenv_settings, file_secret_settings
        return env_settings, VaultSource(settings_cls), TomlConfigSettingsSource(settings_cls)


for name, value in Config().model_dump().items():
    print(name, value.get_secret_value() if isinstance(value, SecretStr) else value)
