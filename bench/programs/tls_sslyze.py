"""Scans a server with sslyze by a profile of Mozilla's, and prints what it accepts and what is wrong: `… PORT PROFILE`.

It runs in the environment .venv-sslyze, and knows nothing of wellkept.
"""

import json
import sys

from sslyze import (
    ScanCommand,
    Scanner,
    ServerNetworkConfiguration,
    ServerNetworkLocation,
    ServerScanRequest,
    ServerScanResult,
)
from sslyze.mozilla_tls_profile.tls_config_checker import (
    SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER,
    MozillaTlsConfiguration,
    ServerNotCompliantWithTlsConfiguration,
    TlsConfigurationEnum,
    check_server_against_tls_configuration,
)

SUITES = {
    "SSL 2.0": "ssl_2_0_cipher_suites",
    "SSL 3.0": "ssl_3_0_cipher_suites",
    "TLS 1.0": "tls_1_0_cipher_suites",
    "TLS 1.1": "tls_1_1_cipher_suites",
    "TLS 1.2": "tls_1_2_cipher_suites",
    "TLS 1.3": "tls_1_3_cipher_suites",
}
MORE = {ScanCommand.SESSION_RENEGOTIATION, ScanCommand.TLS_1_3_EARLY_DATA}


def scan(port: int) -> ServerScanResult:
    """Scan a server of this machine."""
    location = ServerNetworkLocation("localhost", port, "127.0.0.1")
    scanner = Scanner()
    commands = SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER | MORE
    scanner.queue_scans([ServerScanRequest(location, ServerNetworkConfiguration("localhost"), commands)])
    return next(iter(scanner.get_results()))


def issues_of(result: ServerScanResult, profile: str) -> dict[str, str]:
    """What is not as the profile says, and two more dangers that the profile does not ask about."""
    found: dict[str, str] = {}
    try:
        check_server_against_tls_configuration(result, MozillaTlsConfiguration.get(TlsConfigurationEnum(profile)))
    except ServerNotCompliantWithTlsConfiguration as refused:
        found.update(refused.issues)
    if result.scan_result.session_renegotiation.result.is_vulnerable_to_client_renegotiation_dos:
        found["renegotiation"] = "a client can renegotiate"
    if result.scan_result.tls_1_3_early_data.result.supports_early_data:
        found["early_data"] = "a request can be replayed"
    return found


def main(port: int, profile: str) -> None:
    """Scan, and print."""
    result = scan(port)
    accepted = {
        version: sorted(
            one.cipher_suite.name for one in getattr(result.scan_result, name).result.accepted_cipher_suites
        )
        for version, name in SUITES.items()
    }
    print(json.dumps({"accepted": accepted, "issues": issues_of(result, profile)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
