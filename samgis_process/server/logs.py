"""The log of every process of the server."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from samgis_process.server.access_log import FACTS

_TEXT = "%(asctime)s %(levelname)s %(message)s"


class JsonLines(logging.Formatter):
    """Writes each record as one JSON object on a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            **(getattr(record, FACTS, None) or {"message": record.getMessage()}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def set_up_logging(*, json_lines: bool = False) -> None:
    """Log to standard error: our own from INFO on, everybody else's warnings."""
    logging.basicConfig(level=logging.WARNING, format=_TEXT)
    formatter = JsonLines() if json_lines else logging.Formatter(_TEXT)
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:  # ours; those of others stay as they are
            handler.setFormatter(formatter)
    logging.getLogger("samgis_process").setLevel(logging.INFO)
    for name in ("pygeoapi", "rasterio", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
