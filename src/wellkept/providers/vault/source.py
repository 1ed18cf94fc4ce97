"""What the registry opens for `vault:`: a Vault as the environment or a table configures it."""

from collections.abc import Mapping

from wellkept._http.trusted import TrustedAddresses
from wellkept.ports import ProviderTable
from wellkept.providers.vault.connection import from_environ, from_table
from wellkept.providers.vault.options import VaultOptions
from wellkept.providers.vault.vault import Vault


class OpenVault:
    """Makes the source of one load.

    Attributes:
        options: the keys of a table that configures it.
    """

    options: type = VaultOptions

    def __call__(self, environ: Mapping[str, str], table: ProviderTable | None = None, /) -> Vault:
        """Make it, as the table says where there is one.

        Raises:
            UsageError: there is no address, or something cannot work.
        """
        if table is None:
            return Vault.of(from_environ(environ))
        return Vault.of(from_table(environ, table, TrustedAddresses.of(environ).has))


open_source: OpenVault = OpenVault()
