"""What each fault of a certificate, key, keystore or context means before there is any handshake. Texts only."""

from collections.abc import Mapping
from typing import Final

from wellkept.tls.explained import CHECK, Explanation

_KEYSTORE = "wellkept tls keystore list FILE opens it, PKCS#12 and JKS, and names what it holds"

FILES: Final[Mapping[str, Explanation]] = {
    "pem-unreadable": Explanation(
        "a file of certificate or key could not be read as PEM; Python has this one text for eight mistakes",
        (
            "the password of the key is wrong or missing",
            "certificate and key are swapped, or the key is missing in the file",
            "a file is empty, truncated, or holds another format (DER, PKCS#12)",
        ),
        (CHECK, "convert DER or PKCS#12: wellkept tls convert"),
    ),
    "no-certificate-in-file": Explanation(
        "the file of CAs holds no certificate in PEM",
        (
            "it is empty, or a page of an error was saved as a certificate",
            "it holds a key or a request instead of a certificate",
            "it is a keystore or DER",
        ),
        ("wellkept tls check FILE says what it holds", "convert it: wellkept tls convert"),
    ),
    "no-pem": Explanation(
        "PEM was expected, and there is no line -----BEGIN … of the kind that is looked for",
        (
            "certificate and key are swapped",
            "the file is DER, PKCS#12 or empty",
            "line breaks were lost: a variable or a YAML value holds PEM in one line",
        ),
        (CHECK, "convert it: wellkept tls convert"),
    ),
    "bad-end-line": Explanation(
        "a PEM block has no proper -----END … line: the file is cut off, or two files run into each other",
        (
            "it was copied or written in part",
            "cat joined two files of which the first has no final newline: -----END CERTIFICATE----------BEGIN …",
        ),
        ("wellkept tls check FILE names the line", "copy it again, or put a newline between the two"),
    ),
    "mismatch": Explanation(
        "the private key does not belong to the certificate",
        (
            "one of the two was renewed, and the other is the old one",
            "the chain is in the wrong order: the first certificate in the file must be our own",
            "the key of another service was named",
        ),
        (CHECK, "name the key that this certificate was issued for"),
    ),
    "swapped": Explanation(
        "where a certificate should be there is a key, or the other way round",
        ("the two settings are swapped",),
        (CHECK, "name the certificate as the certificate, and the key as the key"),
    ),
    "wrong-password": Explanation(
        "the password of the private key or keystore is wrong",
        (
            "it is another file's password, or an old one",
            "a newline stands behind it: it was read from a file or made by echo",
            "the file is damaged: the two cannot be told apart",
        ),
        (
            "wellkept tls check CERTIFICATE KEY tries it",
            "printf '%s' instead of echo",
        ),
    ),
    "password-missing": Explanation(
        "the private key is encrypted, and no password was given",
        ("the setting for it is missing", "the program asked the terminal, and there is none"),
        ('give it: keyPassword = "${secret:…}"', "or let the key be without one, mode 0600, and its folder closed"),
    ),
    "password-not-needed": Explanation(
        "a password was given, and the private key is not encrypted",
        ("the key was replaced by one without",),
        ("leave the password out, or encrypt the key: openssl pkcs8 -topk8 -in server.key -out locked.key",),
    ),
    "keystore-password": Explanation(
        "the password of the keystore is wrong, or the file is damaged: Java cannot tell the two apart",
        ("it is another store's password, or an old one", "a newline stands behind it", "the file was copied as text"),
        (_KEYSTORE,),
    ),
    "key-password-differs": Explanation(
        "the keystore opens, and the key in it has a password of its own",
        ("the store was made with -keypass, or converted from JKS, where the two may differ",),
        ("give keyPassword beside password", _KEYSTORE),
    ),
    "keystore-format": Explanation(
        "the file is no keystore, or one of another format than is expected",
        ("it is PEM, or a PKCS#12 store is opened as JKS or the other way round", "it is empty, or was copied as text"),
        (_KEYSTORE, "wellkept tls convert makes PKCS#12 and PEM of it"),
    ),
    "alias": Explanation(
        "the keystore has no entry of that name",
        ("aliases are case-insensitive in Java, and keytool calls the first one mykey", "it is another store"),
        (_KEYSTORE,),
    ),
    "reply-mismatch": Explanation(
        "keytool: the certificate does not belong to the key under that alias",
        ("it was issued for the request of another key", "the key was made anew since the request"),
        ("import it under the alias whose key made the request", "or send a new request: wellkept tls keystore csr"),
    ),
    "reply-chain": Explanation(
        "keytool: the CA of the certificate is not in the keystore, so no chain can be built",
        ("the CA and its intermediates were not imported first",),
        ("import the CA first, then the certificate; wellkept tls keystore import takes them in any order",),
    ),
    "empty-trust": Explanation(
        "the truststore is empty or was not found, so nobody can be verified",
        ("its path is wrong: Java takes a missing one as empty", "it holds keys only, and no trusted certificates"),
        (_KEYSTORE, "import the CA as a trusted certificate: wellkept tls keystore trust"),
    ),
    "file-missing": Explanation(
        "a file of certificate, key or CA is not there; Python does not say which",
        ("the path is wrong, or relative to another folder", "the volume is not mounted, or the Secret has other keys"),
        ("wellkept tls check FILES names the one that is missing",),
    ),
    "not-configured": Explanation(
        "TLS is turned on, and a part of it is not named: a file, or the password of a keystore",
        ("a key of the settings is misspelt, in another table, or its value is empty",),
        (
            "key needs certFile and keyFile, or path and password; cert names whom to trust",
            "wellkept check MODULE:CLASS",
        ),
    ),
    "key-exposed": Explanation(
        "other users of the machine can read the private key, and the program refuses to use it",
        ("the file has mode 0644, as keytool and some tools write it",),
        ("chmod 600 server.key; where a container mounts it: defaultMode: 0400",),
    ),
    "weakened": Explanation(
        "a program tries to turn verification off, and the host name would still be checked",
        (
            "verify_mode = CERT_NONE was set on a context that verifies",
            "verify=False is passed together with a context",
        ),
        (
            "do not turn it off: trust the CA instead",
            "wellkept tls probe HOST:PORT says why it fails with verification",
        ),
    ),
    "wrong-context": Explanation(
        "a context of a server is used by a client, or the other way round",
        ("PROTOCOL_TLS_SERVER and PROTOCOL_TLS_CLIENT, or Purpose.CLIENT_AUTH and SERVER_AUTH, are mixed up",),
        ("ServerTLS(…).context() is for servers, ClientTLS(…).context() for clients",),
    ),
    "no-server-name": Explanation(
        "the host name is to be verified, and the program did not say which one it connects to",
        ("wrap_socket or open_connection was called without server_hostname",),
        ("pass server_hostname; do not turn check_hostname off",),
    ),
    "unknown-cipher": Explanation(
        "no name in the cipher list is known to OpenSSL, or all of them are turned off",
        (
            "IANA's names were given: OpenSSL has names of its own",
            "TLS 1.3 suites were given: they are not chosen here",
        ),
        ("ciphers of wellkept takes both kinds of names; leave it out for the default",),
    ),
}
