"""A passphrase as an identity: Argon2id makes the private key of it. This file does no I/O.

So a file that a passphrase opens can get a new data key without anybody typing it: the public
key stands in the header like everybody's.
"""

import os
import unicodedata

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from wellkept._dataclasses import dataclass
from wellkept._patterns import pattern
from wellkept.crypto.encoding import from_word, to_word
from wellkept.crypto.keys import ALGORITHMS, HYBRID, Identity

NAME = "argon2id"
SALT_BYTES = 16
MEMORY_KIB, PASSES, LANES = 64 << 10, 3, 4  # RFC 9106 §4, the second choice; 0.1 to 0.4 s
MOST_MEMORY_KIB, MOST_PASSES, MOST_LANES = 256 << 10, 10, 8  # more is an attack on whoever opens the file
MOST_WORK = 8 * MEMORY_KIB * PASSES  # of all passphrases of a file together: some 3 s
FEWEST_CHARACTERS = 12
_NUMBER = "([1-9][0-9]{0,7})"
_FORM = pattern(f"{NAME}:{_NUMBER}:{_NUMBER}:{_NUMBER}:([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True)
class Stretching:
    """How a passphrase becomes a key.

    Attributes:
        memory_kib: the memory that it takes.
        passes: how often it goes through it.
        lanes: how many threads may share the work.
        salt: 16 bytes of this recipient.
    """

    memory_kib: int
    passes: int
    lanes: int
    salt: bytes

    @classmethod
    def new(cls) -> "Stretching":
        """The costs of today with a new salt."""
        return cls(MEMORY_KIB, PASSES, LANES, os.urandom(SALT_BYTES))

    @property
    def work(self) -> int:
        """What trying it costs: memory times passes."""
        return self.memory_kib * self.passes

    def __str__(self) -> str:
        return f"{NAME}:{self.memory_kib}:{self.passes}:{self.lanes}:{to_word(self.salt)}"

    def identity(self, passphrase: str) -> Identity:
        """The identity that a passphrase stands for."""
        length = ALGORITHMS[HYBRID].secret_bytes
        kdf = Argon2id(
            salt=self.salt, length=length, iterations=self.passes, lanes=self.lanes, memory_cost=self.memory_kib
        )
        return Identity(HYBRID, kdf.derive(unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogateescape")))


def parse_stretching(text: str) -> Stretching | str:
    """The costs of a text, or what is wrong with it: too little to protect, or too much to open."""
    found = _FORM.fullmatch(text)
    if found is None:
        return f"is not {NAME}:MEMORY:PASSES:LANES:SALT"
    memory, passes, lanes = (int(found[group]) for group in (1, 2, 3))
    salt = from_word(found[4])
    if salt is None or len(salt) != SALT_BYTES:
        return "has a salt that is not 16 bytes"
    if memory < MEMORY_KIB or passes < PASSES or lanes < 1:
        return "asks for less work than protects a passphrase"
    if memory > MOST_MEMORY_KIB or passes > MOST_PASSES or lanes > MOST_LANES:
        return "asks for more work than any honest file does"
    return Stretching(memory, passes, lanes, salt)
