"""What it means when two sides do not get as far as a certificate, and what to do about it. Texts only."""

from collections.abc import Mapping
from typing import Final

from wellkept.tls.explained import CHECK, Explanation
from wellkept.tls.faults import Fault

PROTOCOL: Final[Mapping[str, Explanation]] = {
    Fault.PLAIN_TEXT: Explanation(
        "the other side does not speak TLS on this port: what came back is plain text",
        (
            "it is the plain HTTP port, or a server whose TLS is not turned on",
            "the protocol begins in plain text and switches later (STARTTLS: PostgreSQL, SMTP, LDAP)",
            "a proxy answers in its place: https_proxy with an https:// address of a plain proxy",
        ),
        ("wellkept tls probe HOST:PORT says what answers there", "correct the port, or turn TLS on at the server"),
    ),
    "plain-to-tls": Explanation(
        "the client speaks plain HTTP to a port that speaks TLS",
        ("its address begins with http:// instead of https://", "a health check or a proxy calls without TLS"),
        ("write https://, and give the client the CA",),
    ),
    Fault.VERSION: Explanation(
        "the two have no TLS version in common",
        ("one side speaks TLS 1.0 or 1.1 only, which is broken", "one demands TLS 1.3, and the other cannot"),
        ("wellkept tls probe HOST:PORT says which versions it offers", "let the older side speak TLS 1.2 or 1.3"),
    ),
    Fault.NOTHING_IN_COMMON: Explanation(
        "the two found no cipher suite, group or kind of certificate that both take",
        (
            "under TLS 1.2: the server wants a client certificate, and got none",
            "the cipher lists do not meet, or an RSA-only client meets an EC certificate",
            "the server has no certificate loaded, or none for this server name (SNI)",
        ),
        (
            "wellkept tls probe HOST:PORT says what it offers and whether it wants a certificate",
            "leave ciphers at its default",
        ),
    ),
    Fault.ALPN: Explanation(
        "the two have no application protocol in common (ALPN): HTTP/2, HTTP/1.1",
        ("a gRPC client meets a server, or a proxy, without HTTP/2", "it is another port than the gRPC one"),
        ("wellkept tls probe HOST:PORT says what it takes", "turn HTTP/2 on at the server or the proxy"),
    ),
    Fault.UNKNOWN_NAME: Explanation(
        "the server has no certificate for the name that the client asked for (SNI)",
        ("the address is an alias that the server was not told of", "the client sends the name of a proxy"),
        (
            "use the name of the server",
            'or say it: serverName = "NAME"',
            "wellkept tls probe HOST:PORT --server-name NAME",
        ),
    ),
    Fault.RENEGOTIATION: Explanation(
        "the other side wants to negotiate anew in a way that is not safe (before RFC 5746)",
        ("it is very old", "it asks for a client certificate in the middle of a connection"),
        ("let it speak TLS 1.3, or bring it up to date",),
    ),
    Fault.DAMAGED: Explanation(
        "what arrived could not be decrypted",
        (
            "the server's key does not belong to its certificate",
            "two threads use one connection at the same time",
            "something between the two changes bytes",
        ),
        (CHECK, "share contexts among threads, never a connection"),
    ),
    Fault.HUNG_UP: Explanation(
        "the other side ended the connection in the middle, without saying why",
        (
            "it refused the client's certificate, or wanted one: asyncio servers before Python 3.15 send no alert",
            "it is no TLS server, or a load balancer without a server behind it",
            "a firewall cut the connection",
        ),
        ("wellkept tls probe HOST:PORT says how far it gets", "look at the log of the other side"),
    ),
    Fault.TIMED_OUT: Explanation(
        "the other side did not answer in time",
        (
            "it speaks another protocol, and waits for us to begin",
            "a firewall drops what is sent",
            "one connection that does not shake hands holds the whole server up (http.server, gunicorn sync)",
        ),
        ("wellkept tls probe HOST:PORT says how far it gets",),
    ),
    Fault.UNREACHABLE: Explanation(
        "there is no connection at all: TLS has not begun",
        ("nothing listens on that port", "the name is wrong or not known here", "a firewall refuses"),
        ("wellkept tls probe HOST:PORT says which", "correct the host and the port"),
    ),
    "tls-not-offered": Explanation(
        "the client insists on TLS, and the server does not offer it",
        (
            "TLS is not turned on at the server: no certificate and key in its settings",
            "it is another server than you think",
        ),
        (
            "turn TLS on at the server (ssl = on, with certificate and key)",
            "wellkept tls probe HOST:PORT --starttls postgres",
        ),
    ),
    "tls-demanded": Explanation(
        "the server insists on TLS, and the client came without",
        ("the client's settings do not turn TLS on (sslmode, ssl_ca, https://)",),
        ("sslmode=verify-full with sslrootcert=ca.crt: prefer and require do not verify",),
    ),
}
