"""redis-py takes files only, and builds a context of its own: a connection class gives it ours."""

import ssl

import redis

from wellkept.tls import ClientTLS


def client(tls: ClientTLS, host: str, port: int) -> redis.Redis:
    context = tls.context()

    class Connection(redis.SSLConnection):
        def _wrap_socket_with_ssl(self, sock):
            return context.wrap_socket(sock, server_hostname=self.host)

    return redis.Redis(connection_pool=redis.ConnectionPool(connection_class=Connection, host=host, port=port))
