"""One asyncio server with two ports: our context, and a plain `ssl.SSLContext` of the same settings: `… FOLDER MUTUAL`.

The plain one is filled by the function that fills ours (`wellkept.tls.inner.build`), so versions, suites, options,
flags, tickets, certificate, key and trust are equal; what differs is who makes the connection: `ssl.SSLObject`
itself, or ours with its look at the files and its checks. Prints both ports, and then serves until it is ended.
"""

import asyncio
import json
import ssl
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from wellkept.tls import CertKey, MutualTLS, ServerTLS
from wellkept.tls.inner import build

ANSWER: Final = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request, and end the connection."""
    with suppress(asyncio.IncompleteReadError, OSError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
    writer.close()


async def main(folder: Path, *, is_mutual: bool) -> None:
    """Serve."""
    tls = ServerTLS(
        key=CertKey(folder / "server.crt", folder / "server.key"),
        mutual=MutualTLS(trust=folder / "trust.crt") if is_mutual else None,
    )
    contexts = {"us": tls.context(), "plain": build(tls.live.bundle, ssl.SSLContext)}
    servers = {
        name: await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) for name, context in contexts.items()
    }
    print(json.dumps({name: one.sockets[0].getsockname()[1] for name, one in servers.items()}), flush=True)
    await asyncio.gather(*(one.serve_forever() for one in servers.values()))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), is_mutual=json.loads(sys.argv[2])))
