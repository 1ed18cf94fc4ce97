"""Flask under Werkzeug's own server."""

# mypy: disable-error-code="attr-defined"
# (typeshed leaves that attribute of SSLSocket out.)

import os
import ssl

from flask import Flask, request
from werkzeug.serving import make_server

from wellkept.tls import CertKey, MutualTLS, ServerTLS, peer

app = Flask(__name__)


@app.get("/who")
def who() -> str:
    """Answer who asks."""
    return str(peer(request))


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "9443"))
    tls = ServerTLS(key=CertKey("server.crt", "server.key"), mutual=MutualTLS(trust="trust.crt"))
    server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=tls.context())
    assert isinstance(server.socket, ssl.SSLSocket)
    # Each thread shakes its own hand: in accept(), one idle connection would stop all others.
    server.socket.do_handshake_on_connect = False
    server.serve_forever()
