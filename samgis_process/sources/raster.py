"""Datasets that GDAL reads, in any CRS, warped into the window through their overviews."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT

from samgis_process.errors import NoData, SamgisError, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.grid.geobox import zoom_of_resolution
from samgis_process.rendering import Channel, Percentiles, Span
from samgis_process.sources.availability import unreadable
from samgis_process.sources.base import RawImage, SourceInfo
from samgis_process.sources.gdal_env import explained, gdal, is_remote
from samgis_process.sources.pixels import coloured, common_dtype, masks, percentiles
from samgis_process.sources.survey import MERCATOR, Survey, survey
from samgis_process.sources.units import metres_of
from samgis_process.sources.versions import Versions

FILL_SIDE = 256  # a whole source seen in so few pixels is the lowest zoom worth asking for
# A web service says that it is a milliard pixels wide; nobody's pictures are finer than 4 cm.
FINEST_ZOOM = 22
PLAIN = Percentiles(2.0, 98.0)

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GdalOptions:
    """What an operator may say of a dataset.

    Attributes:
        gdal: GDAL's configuration options while it is read.
        roles: band numbers by red, green, blue or nir.
        rendering: name or object of the default rendering.
        revision: changed by hand when the pixels change.
        max_zoom: highest zoom that shows more than the one before it.
        nodata: the value that means nothing, where the dataset does not say itself.
        elevation: whether the first band is elevation.
        vertical_unit: its unit, where the dataset does not say itself.
    """

    gdal: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, int] = field(default_factory=dict)
    rendering: Any = None
    revision: str = ""
    max_zoom: int | None = None
    nodata: float | None = None
    elevation: bool = False
    vertical_unit: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """One version of the dataset; replaced as a whole."""

    info: SourceInfo
    survey: Survey
    spans: dict[Channel, Span] = field(default_factory=dict)


class RasterSource:
    """A file, or anything else that GDAL opens by a name."""

    def __init__(
        self, source_id: str, dataset: str, options: GdalOptions, about: dict[str, Any]
    ) -> None:
        self._id = source_id
        self._dataset = dataset
        self._options = options
        self._about = about
        self._versions = Versions(dataset, options.revision)
        self._lock = threading.Lock()
        self._state = self._look()

    @classmethod
    def open(
        cls,
        source_id: str,
        dataset: Path | str,
        options: GdalOptions | None = None,
        **about: Any,
    ) -> RasterSource:
        """Return the source of a dataset.

        Args:
            about: title, attribution, terms, aliases of the source.

        Raises:
            ConfigurationError: it lies nowhere on the map, or has no such band.
            SourceUnavailable: there is no such file, or a server does not answer.
        """
        return cls(source_id, str(dataset), options or GdalOptions(), about)

    @property
    def info(self) -> SourceInfo:
        """What users see of it; a dataset that was replaced is looked at anew."""
        return self._current().info

    def _current(self, *, force: bool = False) -> _State:
        state = self._state
        try:
            if self._versions.now(state.survey.files, force=force) != state.info.version:
                with self._lock:
                    if self._state is state:  # no other thread was faster
                        self._state = self._look()
                    return self._state
        except (OSError, SamgisError) as error:
            LOGGER.warning("source %s cannot be looked at: %s", self._id, type(error).__name__)
        return state

    def _look(self) -> _State:
        try:
            with self._opened() as dataset:
                seen = self._survey(dataset)
            return _State(self._describe(seen), seen)
        except (RasterioError, OSError) as error:
            if is_remote(self._dataset):
                with explained(self._id):
                    raise
            raise unreadable(self._id, self._dataset) from error

    def _survey(self, dataset: Any) -> Survey:
        seen = survey(dataset, self._id, self._options.roles)
        if not self._options.elevation:
            return seen
        metres = metres_of(dataset, self._id, self._options.vertical_unit)
        return replace(seen, bands=replace(seen.bands, metres=metres))

    def _describe(self, seen: Survey) -> SourceInfo:
        exact = math.ceil(zoom_of_resolution(seen.resolution) - 0.01)
        told = self._options.max_zoom
        native = max(0, min(exact, FINEST_ZOOM)) if told is None else told
        spread = math.log2(max(1.0, max(seen.shape) / FILL_SIDE))
        return SourceInfo(
            id=self._id,
            version=self._versions.now(seen.files),
            zooms=(min(native, max(0, exact - math.ceil(spread))), min(24, native + 3)),
            native_zoom=native,
            bounds=seen.bounds,
            crs=seen.crs,
            bands=seen.bands,
            rendering=self._options.rendering,
            **{"title": self._id, **self._about},
        )

    def read(self, grid: GeoBox, bands: tuple[int, ...] | None = None) -> RawImage:
        """Warp the window, one part on either side of the antimeridian.

        Read again once if the dataset was replaced meanwhile: no picture is of two versions.
        """
        for _ in range(2):
            state = self._current()
            try:
                image = self._read(grid, bands, state)
            except SourceUnavailable:
                if self._current(force=True) is state:
                    raise
                continue
            if self._current(force=True) is state:
                return image
        raise SourceUnavailable(f"{self._id} was changed while it was read")

    def _read(self, grid: GeoBox, bands: tuple[int, ...] | None, state: _State) -> RawImage:
        chosen = bands or state.survey.bands.natural
        with explained(self._id):
            parts = [self._read_part(part, chosen, state.survey) for part in grid.parts()]
        pixels = np.concatenate([part for part, _ in parts], axis=2)
        valid = np.concatenate([valid for _, valid in parts], axis=1)
        if not valid.any():
            raise NoData(
                "bbox",
                f"{self._id} has no data there",
                limit="the source's bounds: {:.5f}, {:.5f}, {:.5f}, {:.5f}".format(
                    *state.info.bounds
                ),
                remedy="choose a window inside them",
            )
        return RawImage(pixels, valid)

    def _read_part(
        self, grid: GeoBox, bands: tuple[int, ...], seen: Survey
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        with self._warped(grid, seen) as vrt:
            if seen.colours is not None:
                return coloured(vrt, bands, seen.colours)
            pixels = vrt.read(list(bands), out_dtype=common_dtype(vrt, bands))
            there = masks(vrt, bands) > 0
        # In bytes one band may well be 0 where 0 is nodata: black is, when all of them are. And
        # not-a-number is no data, whatever value the file declares for it.
        if pixels.dtype.kind == "f":
            return pixels, there.all(axis=0) & np.isfinite(pixels).all(axis=0)
        return pixels, there.any(axis=0)

    def spans(self, channels: Sequence[Channel]) -> dict[Channel, Span]:
        """Return the percentiles of the whole source, as its overview shows them.

        Of the whole, not of the window: a picture must not change its colours when it is panned.

        Raises:
            SourceUnavailable: the overview cannot be read.
        """
        state = self._current()
        missing = [channel for channel in channels if channel not in state.spans]
        if missing:
            with explained(self._id), self._opened() as dataset:
                how = (state.survey.colours, self._options.nodata)
                state.spans.update({c: percentiles(dataset, c, *how) for c in missing})
        return {channel: state.spans[channel] for channel in channels}

    @contextmanager
    def _opened(self, **how: Any) -> Iterator[Any]:
        """Open the dataset anew: it belongs to one thread, and opening takes a millisecond."""
        with (
            gdal(self._dataset, self._options.gdal, fixed=bool(self._options.revision)),
            rasterio.open(self._dataset, **how) as dataset,
        ):
            yield dataset

    @contextmanager
    def _warped(self, grid: GeoBox, seen: Survey) -> Iterator[Any]:
        """Open the overview that is just finer than `grid`, warped into it."""
        level = sum(factor <= grid.resolution / seen.resolution for factor in seen.factors) - 1
        finer = grid.resolution <= seen.resolution
        told = None if seen.masked else self._options.nodata
        smooth = Resampling.cubic if finer else Resampling.bilinear
        with (
            self._opened(**({"overview_level": level} if level >= 0 else {})) as dataset,
            WarpedVRT(
                dataset,
                crs=MERCATOR,
                transform=grid.transform,
                width=grid.width,
                height=grid.height,
                # Between the numbers of two colours lies a third that has nothing to do with them.
                resampling=smooth if seen.colours is None else Resampling.nearest,
                # Between whole metres lie heights, not steps of a metre.
                **({} if seen.bands.metres is None else {"dtype": "float32"}),
                **(
                    {"add_alpha": not seen.masked}
                    if told is None
                    else {"src_nodata": told, "nodata": told}
                ),
            ) as vrt,
        ):
            yield vrt
