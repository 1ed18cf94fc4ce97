"""`asyncio.start_server` with our context, and just enough HTTP/1.1 for a test."""

import asyncio

from tests.tls.servers.answers import answered
from tests.tls.servers.given import Given, given


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            status, text = answered(head.split(b" ", 2)[1].decode(), writer)
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(text)}\r\n\r\n{text}".encode())
            await writer.drain()
            if b"connection: close" in head.lower():
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve(told: Given) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(
        answer, "127.0.0.1", told.port, ssl=told.tls.context(), ssl_handshake_timeout=10
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(given()))
