"""Where the files of the page lie."""

from __future__ import annotations

from pathlib import Path

from xstatic.pkg import leaflet  # type: ignore[import-untyped]

TEMPLATES = Path(__file__).parent / "templates"
DIRECTORIES = {"map": Path(__file__).parent / "static", "leaflet": Path(leaflet.BASE_DIR)}
