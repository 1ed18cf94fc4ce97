"""Where the system keeps its CAs: OpenSSL's default places, or what SSL_CERT_FILE and SSL_CERT_DIR say now."""

import os
import ssl

from wellkept.errors import BundleError
from wellkept.tls.policy import SystemTrust


def system_trust() -> SystemTrust:
    """The places, as the environment has them at this moment.

    Raises:
        BundleError: there are none, or a variable names one that does not exist.
    """
    for variable, exists in (("SSL_CERT_FILE", os.path.isfile), ("SSL_CERT_DIR", _is_folder)):
        named = os.environ.get(variable)
        if named and not exists(named):
            raise BundleError(f"{variable}: names something that does not exist", hint="correct it, or unset it")
    places = ssl.get_default_verify_paths()  # it looks at both variables itself
    # capath is None where the variable lists several folders: it is no folder itself then.
    folders = os.environ.get("SSL_CERT_DIR") or places.capath or ""
    found = SystemTrust(places.cafile, tuple(one for one in folders.split(os.pathsep) if one))
    if found.file is None and not found.folders:
        raise BundleError(
            "the system has no CAs", hint="install ca-certificates, or name a CA: cert = …, or SSL_CERT_FILE"
        )
    return found


def _is_folder(text: str) -> bool:
    return any(map(os.path.isdir, text.split(os.pathsep)))
