"""Raster files that GDAL reads, in any CRS, warped into the window through their overviews."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio import warp
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT

from samgis_process.errors import NoData, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.grid.geobox import zoom_of_resolution
from samgis_process.grid.mercator import MAX_LAT, WORLD_WIDTH, Bounds, world_pixels
from samgis_process.settings import ConfigurationError
from samgis_process.sources.base import RawImage, SourceInfo

MERCATOR = "EPSG:3857"
STRETCH_PERCENT = (2.0, 98.0)
STRETCH_SIDE = 1024  # pixels along the long side of the overview that a stretch is taken from
FILL_SIDE = 256  # a whole source seen in so few pixels is the lowest zoom worth asking for
RGB = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was learned from the file once."""

    path: Path
    indexes: tuple[int, ...]
    has_mask: bool
    resolution: float  # EPSG:3857 metres per source pixel
    factors: tuple[int, ...]
    stretch: tuple[tuple[float, float], ...] | None


class RasterSource:
    """A local raster or COG."""

    def __init__(self, source_id: str, path: Path, about: dict[str, Any]) -> None:
        self._id = source_id
        self._path = path
        self._about = about
        self._info, self._plan = self._look()

    @classmethod
    def open(cls, source_id: str, path: Path, **about: Any) -> RasterSource:
        """Return the source of a file.

        Args:
            about: title, attribution, terms, aliases of the source.

        Raises:
            ConfigurationError: there is no such file, or it lies nowhere on the map.
        """
        return cls(source_id, path, about)

    @property
    def info(self) -> SourceInfo:
        """What users see of it; a file that was replaced is looked at anew."""
        try:
            if _version(self._path) != self._info.version:
                self._info, self._plan = self._look()
        except (OSError, ConfigurationError) as error:
            LOGGER.warning("source %s cannot be looked at: %s", self._id, error)
        return self._info

    def _look(self) -> tuple[SourceInfo, _Plan]:
        try:
            with rasterio.open(self._path) as dataset:
                _require_place(dataset, self._id)
                plan = _plan(dataset, self._path)
                return _info(dataset, self._id, plan, self._about), plan
        except (RasterioError, OSError) as error:
            raise ConfigurationError(
                f"source {self._id}: {self._path.name} cannot be read"
            ) from error

    def read(self, grid: GeoBox) -> RawImage:
        """Warp the window, one part on either side of the antimeridian."""
        try:
            parts = [self._read_part(part) for part in grid.parts()]
        except RasterioError as error:
            raise SourceUnavailable(f"{self.info.id} cannot be read there") from error
        bands = np.concatenate([bands for bands, _ in parts], axis=2)
        valid = np.concatenate([valid for _, valid in parts], axis=1)
        if not valid.any():
            raise NoData(
                "bbox",
                f"{self.info.id} has no data there",
                limit="the source's bounds: {:.5f}, {:.5f}, {:.5f}, {:.5f}".format(
                    *self.info.bounds
                ),
                remedy="choose a window inside them",
            )
        return RawImage(bands, valid, self._plan.stretch)

    def _read_part(self, grid: GeoBox) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        with _warped(self._plan, grid) as vrt:
            bands = vrt.read(list(self._plan.indexes))
            valid = vrt.dataset_mask() > 0
        # Not-a-number is no data, whatever value the file declares for it.
        return bands, valid & np.isfinite(bands).all(axis=0)


@contextmanager
def _warped(plan: _Plan, grid: GeoBox) -> Iterator[Any]:
    """Open the overview that is just finer than `grid`, warped into it.

    Opened anew for each read: a dataset belongs to one thread, and opening takes a millisecond.
    """
    level = sum(factor <= grid.resolution / plan.resolution for factor in plan.factors) - 1
    options: dict[str, Any] = {"overview_level": level} if level >= 0 else {}
    finer = grid.resolution <= plan.resolution
    with (
        rasterio.open(plan.path, **options) as dataset,
        WarpedVRT(
            dataset,
            crs=MERCATOR,
            transform=grid.transform,
            width=grid.width,
            height=grid.height,
            resampling=Resampling.cubic if finer else Resampling.bilinear,
            add_alpha=not plan.has_mask,
        ) as vrt,
    ):
        yield vrt


def _require_place(dataset: Any, source_id: str) -> None:
    if dataset.crs is None or dataset.transform.is_identity:
        raise ConfigurationError(
            f"source {source_id}: {Path(dataset.name).name} has no coordinate reference system "
            "with a transform; warp it first, for instance with gdalwarp -t_srs EPSG:3857"
        )
    try:
        Transformer.from_crs(dataset.crs.to_wkt(), MERCATOR)
    except ProjError as error:
        raise ConfigurationError(
            f"source {source_id}: {Path(dataset.name).name} has no place in Web Mercator; "
            "is it on Earth?"
        ) from error


def _plan(dataset: Any, path: Path) -> _Plan:
    indexes = _rgb_indexes(dataset)
    uint8 = all(dataset.dtypes[i - 1] == "uint8" for i in indexes)
    return _Plan(
        path,
        indexes,
        has_mask=dataset.nodata is not None or ColorInterp.alpha in dataset.colorinterp,
        resolution=_resolution(dataset),
        factors=tuple(dataset.overviews(1)),
        stretch=None if uint8 else _stretch(dataset, indexes),
    )


def _resolution(dataset: Any) -> float:
    """Return EPSG:3857 metres per pixel in the middle, the finer of both directions.

    Of a small step, not of the whole extent: that would be the world where the source crosses
    the antimeridian.
    """
    col, row = dataset.width / 2, dataset.height / 2
    steps = ((col, row), (col + 1, row), (col, row + 1))
    corners = [dataset.transform @ step for step in steps]
    lngs, lats = warp.transform(dataset.crs, "OGC:CRS84", *zip(*corners, strict=True))
    cols, rows = world_pixels(np.array(lngs), np.array(lats), 1)
    across = (cols[1:] - cols[0] + 0.5) % 1 - 0.5
    return float(np.hypot(across, rows[1:] - rows[0]).min() * WORLD_WIDTH)


def _rgb_indexes(dataset: Any) -> tuple[int, ...]:
    kinds = list(dataset.colorinterp)
    if all(kind in kinds for kind in RGB):
        return tuple(kinds.index(kind) + 1 for kind in RGB)
    plain = [i for i, kind in enumerate(kinds, 1) if kind is not ColorInterp.alpha]
    return tuple(plain[:3]) if len(plain) >= 3 else (plain[0],)


def _stretch(dataset: Any, indexes: tuple[int, ...]) -> tuple[tuple[float, float], ...]:
    """Return each band's 2nd and 98th percentile over the whole source.

    Of the whole, not of the window: a picture must not change its colours when it is panned.
    """
    shrink = max(1.0, max(dataset.shape) / STRETCH_SIDE)
    shape = tuple(max(1, round(side / shrink)) for side in dataset.shape)
    result = []
    for index in indexes:
        values = dataset.read(index, out_shape=shape, masked=True).compressed()
        values = values[np.isfinite(values)]
        low, high = np.percentile(values, STRETCH_PERCENT) if values.size else (0.0, 1.0)
        result.append((float(low), float(high)))
    return tuple(result)


def _info(dataset: Any, source_id: str, plan: _Plan, about: dict[str, Any]) -> SourceInfo:
    native = max(0, math.ceil(zoom_of_resolution(plan.resolution) - 0.01))
    spread = math.log2(max(1.0, max(dataset.shape) / FILL_SIDE))
    return SourceInfo(
        id=source_id,
        version=_version(plan.path),
        zooms=(max(0, native - math.ceil(spread)), min(24, native + 3)),
        native_zoom=native,
        bounds=_lnglat_bounds(dataset),
        crs=None if dataset.crs.to_epsg() is None else f"EPSG:{dataset.crs.to_epsg()}",
        **{"title": source_id, **about},
    )


def _version(path: Path) -> str:
    status = path.stat()
    return f"{path.name}:{status.st_size}:{status.st_mtime_ns}"


def _lnglat_bounds(dataset: Any) -> Bounds:
    west, south, east, north = warp.transform_bounds(dataset.crs, "OGC:CRS84", *dataset.bounds)
    return Bounds(west, max(south, -MAX_LAT), east, min(north, MAX_LAT))
