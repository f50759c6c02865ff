"""Values to bytes and to the documents that describe them."""

from samgis_process.formats.cog import COG, cog
from samgis_process.formats.facts import BandFacts, Statistics, statistics_of
from samgis_process.formats.preview import ColourBar, preview
from samgis_process.formats.stac import Asset, item

__all__ = [
    "COG",
    "Asset",
    "BandFacts",
    "ColourBar",
    "Statistics",
    "cog",
    "item",
    "preview",
    "statistics_of",
]
