"""The token that requests must carry, as the server keeps it: what another process can read of it opens nothing."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Token:
    """`digest`: SHA-256, 32 bytes. That of a long random token tells nothing of it."""

    digest: bytes

    @classmethod
    def of(cls, text: str) -> Token:
        return cls(sha256(text.encode()).digest())

    def is_given(self, text: bytes) -> bool:
        """Whether a request carries it, in a time that says nothing of either."""
        return hmac.compare_digest(sha256(text).digest(), self.digest)
