"""Files that commands write: whole, or not there."""

from __future__ import annotations

from pathlib import Path

from samgis_process.errors import NoRoom


def put(path: Path, content: bytes) -> None:
    """Write a file, and its directory if there is none.

    Raises:
        NoRoom: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise NoRoom(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
