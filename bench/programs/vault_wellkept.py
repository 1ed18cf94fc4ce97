"""Reads thirty settings and ten secrets of a Vault with wellkept, and prints them."""

from wellkept import Secret, Settings, load


class Config(Settings, env_prefix="APP_"):
    """The settings of a service."""

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


for name, value in vars(load(Config)).items():
    print(name, value.reveal() if isinstance(value, Secret) else value)
