"""`wellkept rekey`: a new data key for Secrets.toml, and all values again."""

import click

from wellkept.cli import render
from wellkept.cli.recipients import rekey_file
from wellkept.cli.store import secrets_file, store_path


@click.command("rekey")
@click.option("--file", "path", type=click.Path(), help="The Secrets.toml that is meant.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
def command(path: str | None, *, wants_json: bool) -> None:
    """Encrypt everything again under a new data key, for the same recipients.

    The file gets another fingerprint: where WELLKEPT_STORE pins it, change that, too. To take
    somebody's access away use wellkept recipients remove.
    """
    file = secrets_file(store_path([path] if path else []))
    keys, fingerprint = rekey_file(file)
    if wants_json:
        render.as_json({"file": file.name, "fingerprint": fingerprint, "keys": keys})
    else:
        count = "1 value" if len(keys) == 1 else f"{len(keys)} values"
        render.talk(f"encrypted {count} of {file.name} again; its fingerprint is {fingerprint} now")
