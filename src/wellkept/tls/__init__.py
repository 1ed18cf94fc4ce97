"""TLS that always verifies: bundles, the contexts that follow them, and what to say when one is refused.

The rules of this package:

- It knows nothing of settings, providers or HTTP: files, text and callables come in, contexts go out.
- No option turns verification off. A context that is handed out cannot be made to trust more.
- A bundle is checked whole before it is used; one that fails changes nothing, and an event says why.
- A private key that did not come from a disk never goes to one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wellkept.tls.bundle import Anchor, Bundle, Identity, Parts
    from wellkept.tls.client import ClientTLS
    from wellkept.tls.live import Live, reload_all, reload_on_signal
    from wellkept.tls.material import CertKey, KeyStore, TrustStore
    from wellkept.tls.peers import PeerIdentity, peer
    from wellkept.tls.policy import CrlMode, OnTrustChange, Policy, Profile, VerifyClient
    from wellkept.tls.responders import install_fetch
    from wellkept.tls.server import MutualTLS, ServerTLS
    from wellkept.tls.settings import CertValidation, Versions
    from wellkept.tls.source import CallableSource, read_parts

__all__ = [
    "Anchor",
    "Bundle",
    "CallableSource",
    "CertKey",
    "CertValidation",
    "ClientTLS",
    "CrlMode",
    "Identity",
    "KeyStore",
    "Live",
    "MutualTLS",
    "OnTrustChange",
    "Parts",
    "PeerIdentity",
    "Policy",
    "Profile",
    "ServerTLS",
    "TrustStore",
    "VerifyClient",
    "Versions",
    "install_fetch",
    "peer",
    "read_parts",
    "reload_all",
    "reload_on_signal",
]

# A package's own modules import it first: so names are looked up when somebody asks for them, and whoever
# only wants the words for a failed handshake (`_http`) does not load cryptography.
_PLACES: Final = {
    "bundle": ("Anchor", "Bundle", "Identity", "Parts"),
    "client": ("ClientTLS",),
    "live": ("Live", "reload_all", "reload_on_signal"),
    "material": ("CertKey", "KeyStore", "TrustStore"),
    "peers": ("PeerIdentity", "peer"),
    "policy": ("CrlMode", "OnTrustChange", "Policy", "Profile", "VerifyClient"),
    "responders": ("install_fetch",),
    "server": ("MutualTLS", "ServerTLS"),
    "settings": ("CertValidation", "Versions"),
    "source": ("CallableSource", "read_parts"),
}
_MODULES: Final = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import what is asked for."""
    if name in _MODULES:
        return getattr(import_module(f"wellkept.tls.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
