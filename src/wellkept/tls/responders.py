"""Who carries a question to an OCSP responder: this package does no HTTP, so somebody above it says so.

`load()` puts wellkept's own client here; a program that makes its settings in code calls `install_fetch`.
"""

from wellkept.errors import UsageError
from wellkept.tls.ocsp import Fetch, OcspChecker
from wellkept.tls.settings import CertValidation

_fetch: Fetch | None = None


def install_fetch(fetch: Fetch | None) -> None:
    """Let OCSP be asked by a callable: URL and request (DER) in, answer (DER) out, OSError where there is none."""
    global _fetch  # noqa: PLW0603 one for the process, as the observer of secrets is
    _fetch = fetch


def offer_fetch(fetch: Fetch) -> None:
    """Let OCSP be asked by a callable where the program has not named one of its own."""
    if _fetch is None:
        install_fetch(fetch)


def checker(validation: CertValidation | None) -> OcspChecker | None:
    """What asks responders for one context; None where nobody is to be asked.

    Raises:
        UsageError: nobody could carry the question.
    """
    if validation is None or not validation.type.startswith("OCSP"):
        return None
    if _fetch is None:
        raise UsageError(
            "certValidation.type: OCSP needs something that asks the responder",
            hint="load() brings it; in code, call wellkept.tls.install_fetch(…) first",
        )
    return OcspChecker(
        _fetch,
        hard_fail=validation.hard_fail,
        cache_size=validation.cache_size,
        cache_validity_s=validation.cache_validity_period * 60.0,
    )
