"""The files of a server under test, and the ways in which they are replaced while it runs.

A folder holds `server.crt`, `server.key` and `trust.crt`: the CA of the clients, and one that is unrelated
and changes with each rotation.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.tls.pki import CA, Leaf

CLIENT: Final = "spiffe://prod/ns/shop/sa/orders"


class ServerFolder:
    """The files of one server, with the CAs behind them.

    Attributes:
        path: the folder.
        server_ca: signs the server's certificates; clients trust it.
        client_ca: signs those of the clients; the server trusts it, until it is withdrawn.
        serial: that of the certificate that was written last.
    """

    def __init__(self, path: Path) -> None:
        """Write the first files."""
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.server_ca = CA("Server CA")
        self.client_ca = CA("Client CA")
        self._unrelated = CA("Unrelated CA")
        self.serial = 0
        write_in_place(path, self.next_files())

    def client(self, name: str = CLIENT, ca: CA | None = None) -> Leaf:
        """A client's certificate."""
        return (ca or self.client_ca).issue(uris=[name], cn=name.rpartition("/")[2], server=False)

    def next_files(self) -> Mapping[str, bytes]:
        """The files of the next version: another certificate and key, and another unrelated CA."""
        leaf = self.server_ca.issue("localhost", client=False)
        self._unrelated = CA("Unrelated CA", key=self._unrelated.key)
        self.serial = leaf.certificate.serial_number
        trust = self.client_ca.pem + self._unrelated.pem
        return {"server.crt": leaf.cert_pem, "server.key": leaf.key_pem, "trust.crt": trust}

    def rotate(self, write: Callable[[Path, Mapping[str, bytes]], None]) -> None:
        """Write the next version."""
        write(self.path, self.next_files())

    def replace_unrelated_ca(self) -> None:
        """Trust another unrelated CA, beside that of the clients."""
        self._unrelated = CA("Unrelated CA")
        write_by_rename(self.path, {"trust.crt": self.client_ca.pem + self._unrelated.pem})

    def withdraw_client_ca(self) -> CA:
        """Trust another CA in place of that of the clients, and answer it."""
        self.client_ca = CA("Next client CA")
        self.trust_clients_only()
        return self.client_ca

    def trust_clients_only(self) -> None:
        """Trust the CA of the clients, and no other."""
        write_by_rename(self.path, {"trust.crt": self.client_ca.pem})


def write_in_place(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write over the files, one after the other and each in two pieces, as an editor or `cp` does."""
    for name, content in files.items():
        file = folder / name
        if not file.exists():
            file.touch(0o600)
        with file.open("r+b") as opened:
            opened.truncate()
            opened.write(content[: len(content) // 2])
            opened.flush()
            opened.write(content[len(content) // 2 :])


def write_by_rename(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replace each file at once, one after the other, as certbot does."""
    for name, content in files.items():
        new = folder / f".{name}.new"
        new.touch(0o600)
        new.write_bytes(content)
        new.replace(folder / name)


def write_by_mount(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replace all files at once by their folder, as the kubelet does with a mounted Secret."""
    link = folder / "..data"
    number = int(link.readlink().name.removeprefix("..v")) + 1 if link.is_symlink() else 1
    version = folder / f"..v{number}"
    version.mkdir()
    for name, content in files.items():
        (version / name).touch(0o600)
        (version / name).write_bytes(content)
    new = folder / "..data_tmp"
    new.symlink_to(version.name)
    new.replace(link)
    for name in files:
        _link_into_mount(folder / name)


def _link_into_mount(file: Path) -> None:
    if not file.is_symlink():
        new = file.with_name(f".{file.name}.link")
        new.symlink_to(Path("..data", file.name))
        new.replace(file)


WAYS: Final = {"in place": write_in_place, "by rename": write_by_rename, "by mount": write_by_mount}
