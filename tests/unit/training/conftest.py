"""The training lies beside the package, not in it; only what needs no PyTorch is tested here."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)
