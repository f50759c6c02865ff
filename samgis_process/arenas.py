"""How glibc shares memory among threads."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

_M_ARENA_MAX = -8  # of mallopt(3)
_ARENAS = 2


def bound() -> None:
    """Let all threads share two arenas.

    By default each core has eight, each of which keeps what its threads gave back: with sixteen
    clients that was more than half of the server's memory. MALLOC_ARENA_MAX outweighs it.
    """
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(OSError, AttributeError):  # another C library has no arenas
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
