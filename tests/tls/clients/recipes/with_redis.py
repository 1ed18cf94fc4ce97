"""redis-py takes files only, and builds a context of its own: a connection class gives it ours."""

from socket import socket
from ssl import SSLSocket

import redis

from wellkept.tls import ClientTLS


def client(tls: ClientTLS, host: str, port: int) -> redis.Redis:
    context = tls.context()

    class Connection(redis.SSLConnection):
        def _wrap_socket_with_ssl(self, sock: socket) -> SSLSocket:
            return context.wrap_socket(sock, server_hostname=self.host)

    return redis.Redis(connection_pool=redis.ConnectionPool(connection_class=Connection, host=host, port=port))
