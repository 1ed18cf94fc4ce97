"""HashiCorp Vault and OpenBao: key-value secrets, with all the ways to log in."""

from wellkept.providers.vault.login import AppRole, Certificate, Jwt, Kubernetes, TokenFile, Userpass, WrappedToken
from wellkept.providers.vault.vault import Vault

__all__ = ["AppRole", "Certificate", "Jwt", "Kubernetes", "TokenFile", "Userpass", "Vault", "WrappedToken"]
