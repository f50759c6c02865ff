"""The log of every process of the server."""

from __future__ import annotations

import logging


def set_up_logging() -> None:
    """Log to standard error: our own from INFO on, everybody else's warnings."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("samgis_process").setLevel(logging.INFO)
    for name in ("pygeoapi", "rasterio", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
