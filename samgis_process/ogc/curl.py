"""A request as a command line."""

from __future__ import annotations

import shlex
from typing import Any

import orjson


def curl(address: str, body: Any, *, key: bool = False) -> str:
    """Return the command that posts JSON; `key`: with a place for an API key."""
    lines = [f"curl {shlex.quote(address)}", "-H 'Content-Type: application/json'"]
    lines += ["-H 'X-API-Key: KEY'"] if key else []
    lines.append(f"-d {shlex.quote(orjson.dumps(body).decode())}")
    return " \\\n  ".join(lines)
