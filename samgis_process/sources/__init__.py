"""Named origins of pixels: map tiles over HTTP, raster files, the sample scene."""

from samgis_process.sources.base import RawImage, Source, SourceInfo
from samgis_process.sources.catalogue import SourceCatalogue
from samgis_process.sources.picture import picture

__all__ = ["RawImage", "Source", "SourceCatalogue", "SourceInfo", "picture"]
