"""How glibc shares memory among threads, and when it gives it back."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

# Options of mallopt(3). By default each core has eight arenas, each of which keeps what its
# threads gave back; and after large arrays were freed, others as large are taken from arenas, too.
_M_ARENA_MAX, _ARENAS = -8, 2
_M_MMAP_THRESHOLD, _LARGE = -3, 4 * 2**20
_M_TRIM_THRESHOLD, _SPARE = -1, 16 * 2**20


def bound() -> None:
    """Let all threads share two arenas, and give large arrays back to the system at once.

    MALLOC_ARENA_MAX outweighs the number of arenas.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library has no arenas
            mallopt = ctypes.CDLL(None).mallopt
            if "MALLOC_ARENA_MAX" not in os.environ:
                mallopt(_M_ARENA_MAX, _ARENAS)
            mallopt(_M_MMAP_THRESHOLD, _LARGE)
            mallopt(_M_TRIM_THRESHOLD, _SPARE)
