"""PyMySQL takes the context as it is; a connection keeps the certificate that it was opened with."""

import pymysql  # type: ignore[import-untyped]  # it has no types

from wellkept.tls import ClientTLS


def connect(tls: ClientTLS, host: str, port: int) -> pymysql.Connection:
    return pymysql.connect(host=host, port=port, user="orders", ssl=tls.context())
