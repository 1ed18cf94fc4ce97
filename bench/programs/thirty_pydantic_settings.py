"""Reads thirty settings with pydantic-settings, and prints them."""

from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read variables over the file, and nothing else."""
        del init_settings, dotenv_settings, file_secret_settings
        return env_settings, TomlConfigSettingsSource(settings_cls)


for name, value in Config().model_dump().items():
    print(name, value)
