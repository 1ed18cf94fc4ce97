"""What watching costs the backend: its own record of the requests for 100 secrets of one folder."""

import json
import time
import types
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from harness import Row
from openbao import MOUNT, TOKEN, OpenBao, open_openbao
from tls_programs import scaled

from wellkept import Secret, Settings, close, load

SECRETS: Final = 100
POLLS: Final = 20
SETTLE_S: Final = 2.5  # the first polls find out what this server can do
APART_S: Final = 0.4  # requests that are further apart belong to two polls: ttl=1s polls after 0.8 s at the earliest
PATH: Final = "folder/s{:04}"


def measure() -> list[Row]:
    """Watch a hundred secrets, then change one of them and go on."""
    with open_openbao(writes_audit=True) as server, TemporaryDirectory() as folder:
        server.write({PATH.format(number): {"password": f"at-first-{number}"} for number in range(SECRETS)})
        hints = {f"setting_{number}": Secret[str] for number in range(SECRETS)}
        cls: type[Settings] = types.new_class("Many", (Settings,), {}, lambda body: body.update(__annotations__=hints))
        file = Path(folder, "Config.toml")
        lines = [
            f'setting_{number} = "${{vault:{MOUNT}/{PATH.format(number)}?ttl=1s#password}}"\n'
            for number in range(SECRETS)
        ]
        file.write_text("".join(lines), encoding="utf-8")
        config = load(cls, files=[file], environ={"VAULT_ADDR": server.address, "VAULT_TOKEN": TOKEN}, redact=False)
        time.sleep(SETTLE_S)
        begun = _requests(server)
        time.sleep(scaled(POLLS))
        polls = _polls(_requests(server)[len(begun) :])
        secret: Secret[str] = vars(config)["setting_7"]
        before = _requests(server)
        version = secret.version
        server.write({PATH.format(7): {"password": "another"}})
        secret.wait_newer(version, SETTLE_S)
        after = _requests(server)[len(before) + 1 :]  # the first one is the writing itself
        close(config)
    what = f"{SECRETS} watched secrets of one folder"
    return [
        Row(f"requests per poll, {what}, {len(polls)} polls", median(map(len, polls)), "", most=1),
        Row("… in the busiest poll", max(map(len, polls)), ""),
        Row("… in the poll that finds one of them changed", len(_polls(after)[-1]), ""),
    ]


def _requests(server: OpenBao) -> Sequence[datetime]:
    """When each request came, as the server wrote it down."""
    lines = map(json.loads, server.audit_file.read_text(encoding="utf-8").splitlines())
    return [datetime.fromisoformat(line["time"]) for line in lines if line["type"] == "request"]


def _polls(requests: Sequence[datetime]) -> list[list[datetime]]:
    polls: list[list[datetime]] = []
    for one in requests:
        if polls and (one - polls[-1][-1]).total_seconds() < APART_S:
            polls[-1].append(one)
        else:
            polls.append([one])
    return polls
