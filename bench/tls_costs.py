"""What our contexts cost beside handshakes: the import, a look at the files, and a reload."""

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from harness import BARE, PYTHON, Row, compare_calls, compare_processes

from wellkept.testing import CertificateAuthority
from wellkept.tls import CertKey, Live, MutualTLS, ServerTLS
from wellkept.tls.source import FilesSource

RELOADS: Final = 51
IMPORTS: Final = {
    "bare": BARE,
    "us": (*PYTHON, "-c", "from wellkept.tls import ServerTLS"),
    "theirs": (*PYTHON, "-c", "import ssl, cryptography.x509"),
}


def measure() -> list[Row]:
    """Measure all three."""
    costs = compare_processes(IMPORTS)
    us, theirs = (costs[name] - costs["bare"] for name in ("us", "theirs"))
    with TemporaryDirectory() as made:
        folder = Path(made)
        ca = CertificateAuthority(folder)
        own = ca.server("localhost")
        tls = ServerTLS(key=CertKey(own.cert_file, own.key_file), mutual=MutualTLS(trust=ca.ca_file))
        live = Live(FilesSource(tls.key, (ca.ca_file,)), tls.policy(), check_interval_s=0)
        look_s = compare_calls({"look": lambda: live.bundle}, calls=1000)["look"]
        times_s = []
        for _ in range(RELOADS):
            ca.rotate(own)
            start = time.perf_counter()
            live.reload()
            times_s.append(time.perf_counter() - start)
    return [
        Row("import `ServerTLS`, CPU", us.cpu_ms, "ms", "ssl, cryptography.x509", theirs.cpu_ms),
        Row("one look at three files, at most once a second", look_s * 1e6, "µs"),
        Row("one reload of certificate, key and CA", median(times_s) * 1e3, "ms"),
    ]
