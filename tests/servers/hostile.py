"""A server that means harm: one scripted answer to every request, and a table of such answers by name.

with HostileServer(HOSTILE["gzip-bomb"]) as server:
    ask(server.address)
"""

import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from types import MappingProxyType
from typing import Final, Self

from tests.servers import answers
from tests.servers.answers import json_answer, reading, redirect
from tests.servers.certificates import HOST
from tests.servers.listener import Answer, Listener, Visit

__all__ = ["HOSTILE", "Answer", "HostileServer", "Visit", "json_answer"]


class HostileServer:
    """Gives one answer to every request, and watches a second server that nobody should go to.

    Attributes:
        address: where it is; `https` where a context is given.
        elsewhere: the second server: what it received stands in its `requests`, and must hold no token.
    """

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        """Listen to nothing yet.

        Args:
            answer: from `HOSTILE`, or any function of a `Visit`, which has `sendall` and `recv`.
            context: to speak TLS.
        """
        self.elsewhere = Listener(answers.a_good_answer, context)
        self._server = Listener(answer, context)
        self._scheme = "https" if context else "http"
        self._stack = ExitStack()

    @property
    def address(self) -> str:
        """Its address as a URL."""
        return f"{self._scheme}://{HOST}:{self.port}"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def requests(self) -> list[bytes]:
        """The raw requests, head and body, in the order in which they came."""
        return self._server.requests

    @property
    def connections(self) -> int:
        """How many connections it has taken."""
        return self._server.connections

    def __enter__(self) -> Self:
        """Listen."""
        self._stack.enter_context(self.elsewhere)
        self._server.elsewhere = self.elsewhere.port
        self._stack.enter_context(self._server)
        return self

    def __exit__(self, *_: object) -> None:
        """Cut all connections, and wait for all threads."""
        self._stack.close()


# Each is a way to make a client wait, swell, follow, believe or break.
HOSTILE: Final[Mapping[str, Answer]] = MappingProxyType(
    {
        # It never ends.
        "silence": answers.silence,
        "slow-status": answers.slow_status,
        "slow-header": answers.slow_header,
        "dripping-body": answers.dripping_body,
        "continue-flood": answers.continue_flood,
        "endless-chunks": answers.endless_chunks,
        "tiny-chunks": answers.tiny_chunks,
        "endless-chunk-size": answers.endless_chunk_size,
        "endless-trailers": answers.endless_trailers,
        "no-length-no-end": answers.no_length_no_end,
        # It is too much.
        "gigabyte": answers.gigabyte,
        "gzip-bomb": answers.gzip_bomb,
        "many-headers": answers.many_headers,
        "long-header": answers.long_header,
        "long-status": answers.long_status,
        "json-deep": json_answer(b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
        "json-deep-objects": json_answer(b'{"data":' * 100_000 + b"1" + b"}" * 100_000),
        "json-long-number": json_answer(b'{"data":{"data":{"n":' + b"9" * 5_000 + b"}}}"),
        # Its length is a lie, or is told twice.
        "short-body": answers.short_body,
        "cut-chunk": answers.cut_chunk,
        "bad-chunk-size": answers.bad_chunk_size,
        "negative-length": answers.negative_length,
        "odd-length": answers.odd_length,
        "two-lengths": answers.two_lengths,
        "length-and-chunks": answers.length_and_chunks,
        "unasked-response": answers.unasked_response,
        # It leads away.
        "redirect-to-another-host": redirect(answers.other_host),
        "redirect-302-to-another-host": redirect(answers.other_host, "302 Found"),
        "redirect-308-to-another-host": redirect(answers.other_host, "308 Permanent Redirect"),
        "redirect-to-plain-http": redirect(answers.plain_http),
        "redirect-to-itself": redirect(answers.itself),
        "redirect-to-a-file": redirect(lambda _: "file:///etc/passwd"),
        "redirect-to-nowhere": redirect(lambda _: ""),
        # It is no answer of HTTP.
        "junk": answers.junk,
        "tls-record": answers.tls_record,
        "broken-headers": answers.broken_headers,
        "absurd-status": answers.absurd_status,
        "switching-protocols": answers.switching,
        "reset-in-the-body": answers.reset,
        "hang-up": answers.hang_up,
        # It is no answer of a Vault.
        "login-page": answers.login_page,
        "json-as-html": answers.json_as_html,
        "empty": json_answer(b""),
        "no-content": answers.no_content,
        "unknown-encoding": answers.unknown_encoding,
        "not-utf-8": json_answer(b'{"data":{"data":{"password":"\xff\xfe CANARY"}}}'),
        "utf-16": json_answer(reading().decode().encode("utf-16")),
        "json-truncated": json_answer(reading()[:-20]),
        "json-and-more": json_answer(reading() + b"}"),
        "json-duplicate-keys": json_answer(b'{"data":{"data":{"password":"one-CANARY","password":"two-CANARY"}}}'),
        "json-lone-surrogate": json_answer(b'{"data":{"data":{"password":"\\ud800-CANARY"}}}'),
        "json-nan": json_answer(b'{"data":{"data":{"password":NaN}}}'),
        "json-infinity": json_answer(b'{"data":{"data":{"password":1e400}}}'),
        "json-data-null": json_answer(b'{"data":null}'),
        "json-data-list": json_answer(b'{"data":["hostile-CANARY"]}'),
        "json-data-text": json_answer(b'{"data":"hostile-CANARY"}'),
        "json-list": json_answer(b'["hostile-CANARY"]'),
        "json-null": json_answer(b"null"),
    }
)
