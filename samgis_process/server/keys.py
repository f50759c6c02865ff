"""API keys: long random words, of which only hashes are kept.

A hash without salt does for them: nobody can try out 256 random bits.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

PREFIX = "samgis_"  # so that people and scanners know a leaked one
LONGEST = 200  # characters that are looked at


class Entry(Protocol):
    """A key as the configuration has it."""

    @property
    def name(self) -> str:
        """Whose it is."""
        ...

    @property
    def sha256(self) -> str:
        """The key's hash, hexadecimal."""
        ...

    @property
    def operator(self) -> bool:
        """Whether it is an operator's."""
        ...


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a key is."""

    name: str
    is_operator: bool


def new_key() -> str:
    """Return a new key."""
    return PREFIX + secrets.token_urlsafe(32)


def hashed(key: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


class Keyring:
    """The keys that open the server."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._holders = [(one.sha256, Holder(one.name, one.operator)) for one in entries]

    def __bool__(self) -> bool:
        return bool(self._holders)

    def holder(self, key: str) -> Holder | None:
        """Return whose a key is, or None; takes as long whichever key it is."""
        if len(key) > LONGEST:
            return None
        found, digest = None, hashed(key)
        for known, holder in self._holders:
            if hmac.compare_digest(digest, known):
                found = holder
        return found
