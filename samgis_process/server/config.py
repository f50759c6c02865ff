"""pygeoapi's configuration file, as pygeoapi reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pygeoapi.util import yaml_load


def read_config(path: Path) -> dict[str, Any]:
    """Return the configuration, with the environment's values filled in."""
    with path.open(encoding="utf-8") as file:
        config: dict[str, Any] = yaml_load(file)
    return config
