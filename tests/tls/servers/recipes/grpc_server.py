"""A gRPC server."""

# mypy: disable-error-code="import-untyped"
# (grpcio has no types.)

import os
from concurrent.futures import ThreadPoolExecutor

import grpc

from wellkept.integrations.grpc import server_credentials
from wellkept.tls import CertKey, MutualTLS, ServerTLS, peer


def who(_request: bytes, context: grpc.ServicerContext) -> bytes:
    """Answer who asks."""
    return str(peer(context)).encode()


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "9443"))
    tls = ServerTLS(key=CertKey("server.crt", "server.key"), mutual=MutualTLS(trust="trust.crt"))
    server = grpc.server(ThreadPoolExecutor(4))
    handlers = {"Who": grpc.unary_unary_rpc_method_handler(who)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("demo.Demo", handlers),))
    server.add_secure_port(f"localhost:{port}", server_credentials(tls))
    server.start()
    server.wait_for_termination()
