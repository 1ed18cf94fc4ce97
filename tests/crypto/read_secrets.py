"""Reads one value: `WELLKEPT_IDENTITY=… read_secrets.py FILE KEY`; made from docs/reference/secrets-toml.md alone."""

import hmac
import os
import sys
import tomllib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite


def joined(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def from_word(word: str) -> bytes:
    data = urlsafe_b64decode(word + "=" * (-len(word) % 4))
    return data if urlsafe_b64encode(data).decode().rstrip("=") == word else sys.exit("refused: a word")


P, identity = b"wellkept Secrets.toml 1 ", os.environ["WELLKEPT_IDENTITY"]
value: Any = tomllib.loads(Path(sys.argv[1]).read_text("utf-8-sig"))
header = value.pop("wellkept")
file_id, commitment, secret = from_word(header["id"]), from_word(header["key"]), from_word(identity[17:])[:-4]
private: Any = X25519PrivateKey.from_private_bytes(secret[-32:])
public, kem = private.public_key().public_bytes_raw(), KEM.X25519
if identity.startswith("WK-SECRET-HYBRID-"):
    mlkem = MLKEM768PrivateKey.from_seed_bytes(secret[:64])
    public, kem = mlkem.public_key().public_bytes_raw() + public, KEM.MLKEM768_X25519
    private = MLKEM768X25519PrivateKey(mlkem, private)
lines = [line.split(" ") for line in header["recipients"].values()]
mine, wrapped = next(words[-3:-1] for words in lines if from_word(words[-3][len("wk-x25519-") :])[:-4] == public)
info = joined(P + b"data key", file_id, mine.encode())
data_key = Suite(kem, KDF.HKDF_SHA256, AEAD.AES_256_GCM).decrypt(from_word(wrapped), private, info)
extracted = hmac.digest(file_id, data_key, "sha256")  # HKDF: what follows is its first block
keys = [hmac.digest(extracted, P + one + b"\1", "sha256") for one in (b"values", b"header", b"commitment")]
if (header["version"], header["cipher"], keys[2]) != (1, "XAES-256-GCM", commitment):
    sys.exit("refused: the header")
for name, line in header["recipients"].items():
    said, _, mac = line.rpartition(" ")
    told = joined(P, file_id, commitment, b"recipient", b"1", b"XAES-256-GCM", name.encode(), said.encode())
    if not hmac.compare_digest(hmac.digest(keys[1], told, "sha256"), from_word(mac)):
        sys.exit(f"refused: the recipient {name}")
path = [step.replace("_", "").casefold() for step in sys.argv[2].split(".")]
for step in path:
    (value,) = [one for key, one in value.items() if key.replace("_", "").casefold() == step]
word, gcm_key = from_word(value.removeprefix("${enc:1:").removesuffix("}")), b""
for start in (b"\0\1X\0", b"\0\2X\0"):
    (cmac := CMAC(AES256(keys[0]))).update(start + word[4:16])
    gcm_key += cmac.finalize()
associated = joined(P + b"value", file_id, word[:4], *(step.encode() for step in path))
sys.stdout.write(AESGCM(gcm_key).decrypt(word[16:28], word[28:], associated)[1:].decode())
