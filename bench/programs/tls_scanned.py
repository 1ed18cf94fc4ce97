"""A demo server with each profile of ours, for a scanner: `… FOLDER`.

Makes its certificate (P-256) in the folder, prints a line of JSON for each profile with its port and the suites
that it should accept, by IANA's names, and serves until it is ended.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from bench.programs.tls_two_contexts import answer

from tests.tls.pki import CA
from wellkept.tls import CertKey, Profile, ServerTLS
from wellkept.tls.policy import SUITES, SUITES_OF_1_3

# Those for RSA go with a certificate for RSA.
SUITES_OF_1_2: Final = sorted(name for name in SUITES if "ECDSA" in name)


async def main(folder: Path) -> None:
    """Serve."""
    files = CA("demo").issue("localhost").write(folder, "server")
    servers = []
    for profile in Profile:
        context = ServerTLS(key=CertKey(files.cert_file, files.key_file), profile=profile).context()
        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context))
        expected = {"TLS 1.2": [] if profile is Profile.MODERN else SUITES_OF_1_2, "TLS 1.3": sorted(SUITES_OF_1_3)}
        port = servers[-1].sockets[0].getsockname()[1]
        print(json.dumps({"profile": profile, "port": port, "expected": expected}), flush=True)
    await asyncio.gather(*(one.serve_forever() for one in servers))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
