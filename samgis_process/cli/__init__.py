"""`samgis-process`: commands over the same objects that the server uses.

Progress goes to standard error, results to standard output or `--out`.
Exit codes: 0 done, 1 our fault, 2 wrong use, 3 a source is unavailable, 130 interrupted.
"""

from samgis_process.cli.main import main

__all__ = ["main"]
