"""Sinks of the leak matrix: other processes, the kernel, parsers, and what is held in memory."""

import argparse
import configparser
import contextlib
import gc
import io
import json
import os
import subprocess
import sys
import tomllib
import types
from pathlib import Path

from tests.leaks.child import revealed
from tests.leaks.logs import logged
from tests.leaks.sinks import Held, Lacking, Means, object_sink, package, use_site

GROUP = "process"
KERNEL = "the kernel shows it to everybody who may look at the process"


def _of_process(command: list[str], name: str, environment: dict[str, str] | None) -> bytes:
    """What the kernel says of a child, once that has spoken: until then it has not all of it."""
    if not Path("/proc/self").exists():
        raise Lacking("this system has no /proc", is_for_good=True)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()
        shown = Path(f"/proc/{child.pid}/{name}").read_bytes()
        child.communicate(b"\n")
    return shown


def _called_with(x: Held) -> str:
    """The error of a command that failed, and that had a value as an argument."""
    try:
        subprocess.run([sys.executable, "-c", "raise SystemExit(1)", x], check=True)
    except subprocess.CalledProcessError as error:
        return str(error)
    return "ran"


@object_sink(GROUP, "`subprocess.run([…, x])`")
def _run(x: Held) -> str:
    return _called_with(x)


@object_sink(GROUP, "`os.environ[…] = x`")
def _environ(x: Held) -> str:
    try:
        os.environ["MATRIX_PASSWORD"] = x
        return repr(os.environ)
    finally:
        os.environ.pop("MATRIX_PASSWORD", None)


@object_sink(GROUP, "`gc.get_referents`, three steps deep")
def _garbage(x: Held) -> str:
    seen, layer = [x], [x]
    for _ in range(3):
        # A class and a module lead to the whole program.
        layer = [one for one in gc.get_referents(*layer) if not isinstance(one, (type, types.ModuleType))]
        seen += layer
    return repr(seen)


@object_sink(GROUP, "`repr` of a `KeyError(x)`")
def _key_error(x: Held) -> str:
    return repr(KeyError(x))


@object_sink(GROUP, "`int(x)`")
def _int(x: Held) -> str:
    return str(int(x))


@object_sink(GROUP, "`str` of a tomllib error about the value, revealed")
def _tomllib(x: Held) -> str:
    try:
        tomllib.loads(f"password = {revealed(x)}")
    except tomllib.TOMLDecodeError as error:
        return str(error)
    return "parsed"


@use_site(GROUP, "`str` of a `CalledProcessError`: the text was an argument", closed_by=Means.REPR)
def _called(text: str) -> str:
    return _called_with(text)


@use_site(GROUP, "`/proc/PID/cmdline` of a child that has the text as an argument", is_slow=True, open_because=KERNEL)
def _arguments(text: str) -> bytes:
    wait = "print(flush=True); input()"
    return _of_process([sys.executable, "-c", wait, text], "cmdline", None)


@use_site(GROUP, "a child that inherits a variable with the text", is_slow=True, open_because=KERNEL)
def _inherited(text: str) -> bytes:
    show = "import os; print(ascii(dict(os.environ)))"
    return subprocess.run(
        [sys.executable, "-c", show], env={**os.environ, "MATRIX_PASSWORD": text}, stdout=subprocess.PIPE, check=True
    ).stdout


@use_site(GROUP, "`/proc/self/environ`, after `del os.environ[…]`", is_slow=True, open_because=KERNEL)
def _own_environment(text: str) -> bytes:
    wait = "import os; del os.environ['MATRIX_PASSWORD']; print(flush=True); input()"
    return _of_process([sys.executable, "-c", wait], "environ", {**os.environ, "MATRIX_PASSWORD": text})


@use_site(GROUP, "argparse: invalid choice", closed_by=Means.REPR)
def _argparse(text: str) -> str:
    parser = argparse.ArgumentParser(prog="payments")
    parser.add_argument("mode", choices=["fast", "slow"])
    with contextlib.redirect_stderr(io.StringIO()) as stderr, contextlib.suppress(SystemExit):
        parser.parse_args(["--", text])
    return stderr.getvalue()


@use_site(GROUP, "the attributes of a `JSONDecodeError`, logged", closed_by=Means.FORMAT)
def _json_error(text: str) -> str:
    try:
        json.loads(f"{text},")
    except json.JSONDecodeError as error:
        return logged(repr(vars(error)))
    return "parsed"


@use_site(GROUP, "the object of a `UnicodeEncodeError`, logged", closed_by=Means.FORMAT)
def _encode_error(text: str) -> str:
    try:
        f"{text}\udcff".encode()
    except UnicodeEncodeError as error:
        return logged(repr(error.object))
    return "encoded"


@use_site(GROUP, "configparser: the line of a parsing error, logged", closed_by=Means.FORMAT)
def _configparser(text: str) -> str:
    try:
        configparser.ConfigParser().read_string(f"[db]\npassword\n{text}\n")
    except configparser.Error as error:
        return logged(str(error))
    return "parsed"


@use_site(
    GROUP,
    "PyYAML: the snippet of a parsing error, logged",
    closed_by=Means.FORMAT,
    open_because="it cuts lines of more than 75 characters",
    cuts_at=30,
)
def _yaml_error(text: str) -> str:
    yaml = package("yaml")
    try:
        yaml.safe_load(f"password: [{text}")
    except yaml.YAMLError as error:
        return logged(str(error))
    return "parsed"
