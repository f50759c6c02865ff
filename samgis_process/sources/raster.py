"""Datasets that GDAL reads, in any CRS, warped into the window through their overviews."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

from samgis_process.errors import InvalidInput, NoData, SamgisError, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.grid.geobox import zoom_of_resolution
from samgis_process.rendering import Channel, Span
from samgis_process.settings import ConfigurationError
from samgis_process.sources.base import RawImage, SourceInfo
from samgis_process.sources.cells import (
    Cells,
    missing,
    percentiles,
    read,
    reduced,
    reference,
)
from samgis_process.sources.gdal_env import FAILURES, damaged, explained, gdal, unopened
from samgis_process.sources.place import Piece, spelled
from samgis_process.sources.resample import SAME, ground_pixels, picture_pixels
from samgis_process.sources.survey import Survey, survey
from samgis_process.sources.units import metres_of
from samgis_process.sources.versions import Versions
from samgis_process.turns import aside

FILL_SIDE = 256  # a whole source seen in so few pixels is the lowest zoom worth asking for
# A web service says that it is a billion pixels wide; nobody's pictures are finer than 4 cm.
FINEST_ZOOM = 22
# Cells read for one window, where there are no overviews: a few seconds of a fast disk.
MOST_CELLS = 2**30
MANY = 4  # cells along a pixel for which overviews would be welcome

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
        nodata: the value that means nothing, whatever the dataset says.
        elevation: whether the first band is elevation.
        vertical_unit: its unit, whatever the dataset says.
        crs: its coordinate reference system, whatever the dataset says.
    """

    gdal: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, int] = field(default_factory=dict)
    rendering: Any = None
    revision: str = ""
    max_zoom: int | None = None
    nodata: float | None = None
    elevation: bool = False
    vertical_unit: str | None = None
    crs: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """One version of the dataset; replaced as a whole."""

    info: SourceInfo
    survey: Survey
    warnings: tuple[str, ...] = ()
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
        self._is_known_as_slow = False
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
                with aside(self._id), self._lock:
                    if self._state is state:  # no other thread was faster
                        self._state = self._look()
                    return self._state
        except (OSError, SamgisError) as error:
            LOGGER.warning("source %s cannot be looked at: %s", self._id, type(error).__name__)
        return state

    def _look(self) -> _State:
        try:
            with self._opened() as dataset:
                seen, warnings = self._survey(dataset)
            return _State(self._describe(seen), seen, warnings)
        except FAILURES as error:
            raise unopened(self._id, self._dataset, error) from error

    def _survey(self, dataset: Any) -> tuple[Survey, tuple[str, ...]]:
        """Return what is learned of it, and what a reader of any answer should know."""
        told = self._options
        seen = survey(dataset, self._id, told.roles, told.nodata, told.crs)
        if not told.elevation:
            return seen, ()
        if seen.holds_colours:
            raise ConfigurationError(
                f"source {self._id} holds colours, not elevation; take it as a picture, or name a "
                "raster of heights"
            )
        metres, warning = metres_of(dataset, self._id, seen.place, told.vertical_unit)
        return seen.holding(metres), (warning,) if warning else ()

    def _describe(self, seen: Survey) -> SourceInfo:
        exact = math.ceil(zoom_of_resolution(seen.place.resolution) - 0.01)
        told = self._options.max_zoom
        native = max(0, min(exact, FINEST_ZOOM)) if told is None else told
        spread = math.log2(max(1.0, max(seen.place.shape) / FILL_SIDE))
        return SourceInfo(
            id=self._id,
            version=self._versions.now(seen.files),
            zooms=(min(native, max(0, exact - math.ceil(spread))), min(24, native + 3)),
            native_zoom=native,
            bounds=seen.place.bounds,
            crs=seen.place.name,
            bands=seen.bands,
            rendering=self._options.rendering,
            **{"title": self._id, **self._about},
        )

    def read(
        self, grid: GeoBox, bands: tuple[int, ...] | None = None, *, heights: bool = False
    ) -> RawImage:
        """Warp the window, one part on either side of the antimeridian.

        Read again once if the dataset was replaced meanwhile: no picture is of two versions.
        """
        for _ in range(2):
            state = self._current()
            try:
                image = self._read(grid, bands, state, heights=heights)
            except SourceUnavailable:
                if self._current(force=True) is state:
                    raise
                continue
            if self._current(force=True) is state:
                return image
        raise SourceUnavailable(f"{self._id} was changed while it was read; ask again")

    def _read(
        self, grid: GeoBox, bands: tuple[int, ...] | None, state: _State, *, heights: bool
    ) -> RawImage:
        seen = state.survey
        self._require_files(seen)
        chosen = bands or seen.bands.natural
        ground = heights or self._options.elevation
        pixels: NDArray[Any] | None = None
        valid = np.zeros(grid.shape, bool)
        warnings = dict.fromkeys(state.warnings)
        with explained(self._id, self._dataset):
            for piece in seen.place.pieces(grid):
                values, known, told = self._read_piece(piece, chosen, seen, ground=ground)
                warnings |= dict.fromkeys(told)
                if pixels is None:
                    pixels = np.zeros((len(chosen), *grid.shape), values.dtype)
                rows = slice(piece.row, piece.row + piece.grid.height)
                cols = slice(piece.col, piece.col + piece.grid.width)
                np.copyto(pixels[:, rows, cols], values, where=known)
                valid[rows, cols] |= known
        if pixels is None or not valid.any():
            raise self._nothing(state)
        return RawImage(pixels, valid, tuple(warnings))

    def _require_files(self, seen: Survey) -> None:
        """Refuse to read what is not all there: GDAL does not always say so."""
        for path in seen.files:
            if not path.exists():
                gone = FileNotFoundError(f"{path}: No such file or directory")
                raise damaged(self._id, self._dataset, gone)

    def _nothing(self, state: _State) -> NoData:
        bounds = "{:.5f}, {:.5f}, {:.5f}, {:.5f}".format(*state.info.bounds)
        with explained(self._id, self._dataset), self._opened() as dataset:
            first = state.survey.bands.natural[:1]
            some = reference(dataset, first, state.survey.meaning).known.any()
        if not some:
            return NoData(
                "bbox",
                f"{self._id} holds no data at all: every cell that was looked at is nodata",
                limit=f"the source's bounds: {bounds}",
                remedy="correct its `nodata`, or choose another source",
            )
        return NoData(
            "bbox",
            f"{self._id} has no data there",
            limit=f"the source's bounds: {bounds}",
            remedy="choose a window inside them",
        )

    def _read_piece(
        self, piece: Piece, bands: tuple[int, ...], seen: Survey, *, ground: bool
    ) -> tuple[NDArray[Any], NDArray[np.bool_], list[str]]:
        """Return the pixels of a part of a window, where they are known, and warnings."""
        level = sum(factor <= min(piece.steps) * SAME for factor in seen.factors) - 1
        # Whoever made overviews without knowing of the holes has mixed them into the ground.
        if ground and seen.meaning.nodata is not None:
            level = -1
        cells, box, transform, steps, factors = self._cells(
            piece, bands, seen, level, ground=ground
        )
        if cells.holes and level >= 0:
            cells, box, transform, steps, factors = self._cells(
                piece, bands, seen, -1, ground=ground
            )
        told = [*missing(cells), *([self._slow()] if max(factors) >= MANY else [])]
        first, _, left, _ = box
        transform = Affine.translation(piece.turn, 0) @ transform
        transform = transform @ Affine.translation(left, first) @ Affine.scale(*factors[::-1])
        step = max(one / factor for one, factor in zip(steps, factors, strict=True))
        if ground:
            placed = ground_pixels(cells, transform, seen.place.crs, piece.grid, step)
        else:
            mixed = seen.meaning.colours is None
            placed = picture_pixels(
                cells, transform, seen.place.crs, piece.grid, step, mixed=mixed
            )
        return *placed, told

    def _cells(
        self, piece: Piece, bands: tuple[int, ...], seen: Survey, level: int, *, ground: bool
    ) -> tuple[Cells, tuple[int, int, int, int], Affine, list[float], tuple[int, int]]:
        """Return cells of an overview, their box in it, its transform, and how many there were.

        Steps are cells of the overview along a pixel, factors how many became one.
        """
        with self._opened(**({"overview_level": level} if level >= 0 else {})) as dataset:
            shrink = [
                full / now for full, now in zip(seen.place.shape, dataset.shape, strict=True)
            ]
            steps = [step / one for step, one in zip(piece.steps, shrink, strict=True)]
            down, along = (max(1, math.floor(step * SAME)) for step in steps)
            box = _box(piece.cells, shrink, (down, along), dataset.shape)
            if max(down, along) == 1:
                cells = read(dataset, bands, seen.meaning, box, heights=ground)
            else:
                self._require_few(box)
                cells = reduced(dataset, bands, seen.meaning, box, (down, along), heights=ground)
            return cells, box, dataset.transform, steps, (down, along)

    def _require_few(self, box: tuple[int, int, int, int]) -> None:
        count = (box[1] - box[0]) * (box[3] - box[2])
        if count > MOST_CELLS:
            raise InvalidInput(
                "bbox",
                f"takes {count // 10**6} million cells of {self._id}, which has no overviews "
                "for so wide a window",
                limit=f"{MOST_CELLS // 10**6} million cells",
                remedy=f"ask for a smaller one, or make overviews: {self._overviews()}",
            )

    def _slow(self) -> str:
        words = (
            f"{self._id} has no overviews for so wide a window: it was read cell by cell; "
            f"{self._overviews()} makes them"
        )
        if not self._is_known_as_slow:
            self._is_known_as_slow = True
            LOGGER.warning("%s", words)
        return words

    def _overviews(self) -> str:
        return f"gdaladdo -r average {spelled(self._dataset)}"

    def probe(self) -> None:
        """Read cells at the corners and in the middle, as finely as they are.

        Raises:
            SourceUnavailable: some cannot be read.
        """
        seen = self._current().survey
        with explained(self._id, self._dataset), self._opened() as dataset:
            for row in (0, dataset.height // 2, dataset.height - 1):
                for col in (0, dataset.width // 2, dataset.width - 1):
                    box = (row, row + 1, col, col + 1)
                    read(dataset, dataset.indexes, seen.meaning, box, heights=False)

    def spans(self, channels: Sequence[Channel]) -> dict[Channel, Span]:
        """Return the percentiles of the whole source, as its overview shows them.

        Of the whole, not of the window: a picture must not change its colours when it is panned.

        Raises:
            SourceUnavailable: the overview cannot be read.
        """
        state = self._current()
        unknown = [channel for channel in channels if channel not in state.spans]
        if unknown:
            with explained(self._id, self._dataset), self._opened() as dataset:
                seen = state.survey.meaning
                state.spans.update({c: percentiles(dataset, c, seen) for c in unknown})
        return {channel: state.spans[channel] for channel in channels}

    @contextmanager
    def _opened(self, **how: Any) -> Iterator[Any]:
        """Open the dataset anew: it belongs to one thread, and opening takes a millisecond."""
        with (
            gdal(self._dataset, self._options.gdal, fixed=bool(self._options.revision)),
            rasterio.open(self._dataset, **how) as dataset,
        ):
            yield dataset


def _box(
    cells: tuple[int, int, int, int],
    shrink: Sequence[float],
    factors: Sequence[int],
    shape: tuple[int, int],
) -> tuple[int, int, int, int]:
    """Return cells of the whole dataset as those of an overview, in whole blocks of `factors`."""
    ends = []
    for begin, end, one, factor, side in zip(
        cells[::2], cells[1::2], shrink, factors, shape, strict=True
    ):
        ends.append(max(0, math.floor(begin / one / factor) * factor))
        ends.append(min(side, math.ceil(end / one / factor) * factor))
    return ends[0], ends[1], ends[2], ends[3]
