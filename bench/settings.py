"""The thirty settings that the measurements read: the text of Config.toml, and five variables over it."""

from pathlib import Path
from typing import Final

TWENTY: Final = """\
log_level = "info"
bind_host = "0.0.0.0"
bind_port = 8080
workers = 4
backlog = 2048
debug = false
access_log = true
metrics = true
allowed_origins = ["https://shop.example", "https://admin.example"]
max_body_bytes = 1048576
request_timeout_s = 30.0
connect_timeout_s = 2.5
retries = 3
backoff_s = 0.25
sample_rate = 0.01
db_host = "db.internal.example"
db_port = 5432
db_pool_size = 20
cache_port = 6379
batch_size = 500
"""

TEN_TEXTS: Final = """\
service_name = "payments"
environment = "production"
region = "eu-central-1"
log_format = "json"
db_name = "payments"
db_user = "payments_app"
cache_host = "cache.internal.example"
queue_name = "settlements"
queue_host = "queue.internal.example"
partner_url = "https://api.partner.example/v2"
"""

TEN_SECRETS: Final = """\
db_password = "n7$Vq2!wZr8&Lk4x"
cache_password = "t5Hc9pQe3mYs6Ua1"
queue_password = "g2 Jd8 Wb4 Xf7 Ro"
admin_password = "correct-horse-battery-staple"
api_key = "pk_live_4eC39HqLyjWDarjtT1zdp7dc"
partner_token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJwYXltZW50cyJ9.c2lnbmF0dXJl"
webhook_key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
session_key = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
signing_key = "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZg=="
smtp_password = "p%40ss/w0rd+with=signs"
"""

OVERRIDES: Final = {
    "APP_BIND_PORT": "8443",
    "APP_LOG_LEVEL": "warning",
    "APP_DEBUG": "true",
    "APP_REQUEST_TIMEOUT_S": "12.5",
    "APP_DB_HOST": "db-2.internal.example",
}


def write_config(folder: str, *, name: str = "Config.toml", text: str = TWENTY + TEN_TEXTS) -> Path:
    """Write a file of settings, readable for its owner only."""
    path = Path(folder, name)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path
