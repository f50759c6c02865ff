"""The sample scene: a landscape drawn by our own code, with its true outlines known.

It needs no network, so that a first request works anywhere, and its answer can be checked.
"""

from samgis_process.sources.sample.files import GRID, VERSION, SampleFiles, make
from samgis_process.sources.sample.truth import truth

ZOOM = GRID.zoom
BOUNDS = GRID.bounds
ATTRIBUTION = "Sample scene, drawn by samgis-process; no real place"

__all__ = ["ATTRIBUTION", "BOUNDS", "VERSION", "ZOOM", "SampleFiles", "make", "truth"]
