"""The cells of a dataset as what they mean: scaled, masked band by band, fewer where too many.

What means nothing is left out here, before anything is interpolated: what lies between a height
and -9999 is neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from samgis_process.rendering import Channel, Span, values
from samgis_process.terrain import plausible

REFERENCE_SIDE = 1024  # cells along the long side of the overview that percentiles are taken from
STRIP_BYTES = 2**25  # of cells read at a time, where fewer are made of many
# What programs write where nothing was measured. A file that does not say so is not believed where
# they fill whole areas that no other value comes near.
FLAGS = (-999.0, -9999.0, -99999.0, -32767.0, -32768.0)
NEAR = 500.0
NO_NUMBER = 1e30  # floats beyond it are the fill values of netCDF, ESRI and others
HALF = 0.5  # share of the cells that must be known where one is made of many


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What the numbers of a dataset mean.

    Attributes:
        scales, offsets: of each band; a value is number * scale + offset.
        nodata: the number that means nothing, by the operator, whatever the dataset says.
        alpha: number of the band that alone says where there is data.
        declared: whether the dataset says of any cells that they mean nothing.
        apart: whether it says so in a mask of its own, which counts besides `nodata`.
        colours: uint8 (entries, 4), RGBA of a palette's entries; the bands are then these four.
        metres: of one unit of the first band, where that is elevation.
    """

    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    nodata: float | None = None
    alpha: int | None = None
    declared: bool = True
    apart: bool = False
    colours: NDArray[np.uint8] | None = None
    metres: float | None = None

    def scaled(self, number: float, band: int) -> float:
        """Return the value that a number of a band stands for."""
        return number * self.scales[band - 1] + self.offsets[band - 1]


class Cells(NamedTuple):
    """Some cells.

    Attributes:
        values: (bands, rows, cols).
        known: bool (rows, cols), False where they mean nothing.
        holes: numbers that were taken for holes although nobody says so.
    """

    values: NDArray[Any]
    known: NDArray[np.bool_]
    holes: frozenset[float] = frozenset()


def read(
    dataset: Any,
    bands: Sequence[int],
    meaning: Meaning,
    box: tuple[int, int, int, int],
    *,
    heights: bool,
    **how: Any,
) -> Cells:
    """Return cells of an open dataset.

    Args:
        box: first row, row after the last, first column, column after the last.
        heights: whether the first band is wanted as elevation.
        how: further arguments of rasterio's `read`, such as `out_shape`.
    """
    first, after, left, right = box
    window = Window(left, first, right - left, after - first)
    chosen = [1] if meaning.colours is not None else list(bands)
    how = how | {"window": window}
    numbers = _together(dataset, chosen, how)
    there = _declared(dataset, chosen, meaning, numbers, how)
    if meaning.colours is not None:
        return _coloured(numbers[0], there[0], bands, meaning.colours)
    held = np.zeros(0)
    dtype = numbers.dtype
    if dtype.kind in "if" and dtype.itemsize > 1:
        doubtful = _doubtful(numbers, there, alone=heights)
        held = numbers[doubtful]
        there = there & ~doubtful
    # In bytes and other counts one band may well be 0 where 0 is nodata: black is, when all are.
    known = there.any(axis=0) if dtype.kind == "u" else there.all(axis=0)
    found = _scaled(numbers, chosen, meaning)
    if heights:
        ground = plausible((found[0] * np.float32(meaning.metres or 1.0)).astype(np.float32))
        held = np.concatenate([held, numbers[0][known & ~ground]])
        known = known & ground
    return Cells(found, known, frozenset(np.unique(held[:4096]).astype(float).tolist()))


def _together(dataset: Any, bands: list[int], how: dict[str, Any]) -> NDArray[Any]:
    """Return (bands, rows, cols); those of several dtypes rasterio reads one by one only."""
    if len({dataset.dtypes[band - 1] for band in bands}) > 1:
        return np.stack([dataset.read(band, **how) for band in bands])
    shape = how.get("out_shape")
    sized = {"out_shape": (len(bands), *shape)} if shape else {}
    numbers: NDArray[Any] = dataset.read(bands, **(how | sized))
    return numbers


def _declared(
    dataset: Any, bands: list[int], meaning: Meaning, numbers: NDArray[Any], how: dict[str, Any]
) -> NDArray[np.bool_]:
    """Return (bands, rows, cols), where the dataset and its operator say that there is data."""
    there: NDArray[np.bool_] = np.ones(numbers.shape, bool)
    if meaning.alpha is not None:
        # GDAL takes an alpha band for a mask only if it is of bytes or uint16: read as it is.
        there &= dataset.read(meaning.alpha, **how) > 0
    elif meaning.declared and (meaning.nodata is None or meaning.apart):
        there = np.stack([dataset.read_masks(band, **how) for band in bands]) > 0
    if meaning.nodata is not None:
        there &= numbers != _as(meaning.nodata, numbers.dtype)
    if numbers.dtype.kind == "f":
        there &= ~np.isnan(numbers)
    return there


def _as(nodata: float, dtype: np.dtype[Any]) -> Any:
    """Return a number as the dtype holds it, or one that equals nothing."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return dtype.type(nodata)
    kind = np.iinfo(dtype)
    whole = float(nodata).is_integer() and kind.min <= nodata <= kind.max
    return dtype.type(nodata) if whole else float("nan")


def _doubtful(
    numbers: NDArray[Any], there: NDArray[np.bool_], *, alone: bool
) -> NDArray[np.bool_]:
    """Return where a number is none that anybody measures, or a flag far from all others.

    A flag must fill an area of two by two cells at least, unless one `alone` will do.
    """
    doubtful: NDArray[np.bool_] = np.zeros(numbers.shape, bool)
    if numbers.dtype.kind == "f":
        doubtful = (np.abs(numbers) >= NO_NUMBER) & there
        there = there & ~doubtful
    lowest = float(numbers.min(initial=0, where=there))
    if lowest > max(FLAGS):
        return doubtful
    flags = {*FLAGS, float(np.iinfo(numbers.dtype).min)} if numbers.dtype.kind == "i" else FLAGS
    for band, (one, known) in enumerate(zip(numbers, there, strict=True)):
        for flag in flags:
            hit = (one == flag) & known
            square = hit[1:, 1:] & hit[:-1, 1:] & hit[1:, :-1] & hit[:-1, :-1]
            if not (hit if alone else square).any():
                continue
            others = one[known & ~hit].astype(np.float64)
            usual = [other for other in flags if other != flag]
            if not (np.abs(others[~np.isin(others, usual)] - flag) < NEAR).any():
                doubtful[band] |= hit
    return doubtful


def _scaled(numbers: NDArray[Any], bands: list[int], meaning: Meaning) -> NDArray[Any]:
    scales = np.array([meaning.scales[band - 1] for band in bands])
    offsets = np.array([meaning.offsets[band - 1] for band in bands])
    if (scales == 1).all() and (offsets == 0).all():
        return numbers
    wide = numbers.dtype.itemsize > 2 and numbers.dtype != np.float32
    result: NDArray[Any] = numbers * scales[:, None, None] + offsets[:, None, None]
    return result if wide else result.astype(np.float32)


def _coloured(
    entries: NDArray[Any],
    there: NDArray[np.bool_],
    bands: Sequence[int],
    colours: NDArray[np.uint8],
) -> Cells:
    inside = there & (entries >= 0) & (entries < len(colours))
    rgba = colours[np.where(inside, entries, 0).astype(np.intp)]
    return Cells(np.stack([rgba[..., band - 1] for band in bands]), inside & (rgba[..., 3] > 0))


def reduced(
    dataset: Any,
    bands: Sequence[int],
    meaning: Meaning,
    box: tuple[int, int, int, int],
    factors: tuple[int, int],
    *,
    heights: bool,
) -> Cells:
    """Return cells each of which is the mean of many.

    Args:
        box: whole multiples of the factors, but at the dataset's far edges.
        factors: (rows, columns) that become one.
    """
    first, after, left, right = box
    down, along = factors
    bytes_a_row = (right - left) * len(bands) * 8
    strip = down * max(1, STRIP_BYTES // (bytes_a_row * down))
    parts = []
    for top in range(first, after, strip):
        rows = (top, min(after, top + strip), left, right)
        cells = read(dataset, bands, meaning, rows, heights=heights)
        parts.append(_blocks(cells, down, along, meaning, heights=heights))
    return Cells(
        np.concatenate([part.values for part in parts], axis=1),
        np.concatenate([part.known for part in parts]),
        frozenset[float]().union(*(part.holes for part in parts)),
    )


def _blocks(cells: Cells, down: int, along: int, meaning: Meaning, *, heights: bool) -> Cells:
    """Return one cell for each `down` x `along`; of a palette the one in the middle."""
    rows, cols = (-(-side // factor) for side, factor in zip(
        cells.known.shape, (down, along), strict=True))  # fmt: skip
    over = ((0, rows * down - cells.known.shape[0]), (0, cols * along - cells.known.shape[1]))
    known = np.pad(cells.known, over)
    numbers = np.pad(cells.values, ((0, 0), *over), mode="edge")
    if meaning.colours is not None:
        middle = (slice(down // 2, None, down), slice(along // 2, None, along))
        return Cells(numbers[:, *middle], known[middle], cells.holes)
    if known.all():
        sums = _summed(numbers, down, along)
        return Cells(_rounded(sums / (down * along), numbers.dtype), known[::down, ::along],
                     cells.holes)  # fmt: skip
    counts = _summed(known[None], down, along)
    numbers = np.where(known, numbers, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = _summed(numbers, down, along) / counts
    enough = counts[0] >= (HALF * down * along if heights else 1)
    if heights:
        means, straight = _levelled(numbers, known, means, counts, (down, along))
        enough &= straight
    means = np.where(enough, means, 0)
    return Cells(_rounded(means, cells.values.dtype), enough, cells.holes)


def _levelled(
    numbers: NDArray[Any],
    known: NDArray[np.bool_],
    means: NDArray[Any],
    counts: NDArray[Any],
    factors: tuple[int, int],
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the heights in the middles of blocks, of planes laid through their known cells.

    The mean of what is known lies in the middle of that, not of the block: beside a hole it would
    be a step that is not there.
    """
    down, along = factors
    rows, cols = known.shape
    y = np.where(known, np.resize(np.arange(down) - (down - 1) / 2, rows)[:, None], 0)
    x = np.where(known, np.resize(np.arange(along) - (along - 1) / 2, cols)[None], 0)

    def mean(one: NDArray[Any]) -> NDArray[Any]:
        result: NDArray[Any] = _summed(one[None], down, along)[0] / counts[0]
        return result

    z = numbers[0].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mx, my, mz = mean(x), mean(y), means[0]
        xx, yy, xy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
        xz, yz = mean(x * z) - mx * mz, mean(y * z) - my * mz
        determinant = xx * yy - xy * xy
        rise_x = (xz * yy - yz * xy) / determinant
        rise_y = (yz * xx - xz * xy) / determinant
        level = mz - rise_x * mx - rise_y * my
    whole = counts[0] == down * along
    straight = whole | (determinant > 1e-6)
    return np.where(whole, mz, level)[None], straight


def _summed(numbers: NDArray[Any], down: int, along: int) -> NDArray[Any]:
    """Return the sums of blocks, rows first, where memory is read in order."""
    count, rows, cols = numbers.shape
    wide: Any = np.float64 if numbers.dtype.kind == "f" else np.int64
    narrow: Any = np.uint32 if numbers.dtype.itemsize == 1 and numbers.dtype.kind in "ub" else wide
    tall = numbers.reshape(count, rows // down, down, cols).sum(axis=2, dtype=narrow)
    sums: NDArray[Any] = tall.reshape(count, rows // down, cols // along, along).sum(
        axis=3, dtype=wide
    )
    return sums


def _rounded(means: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.rint(means).astype(dtype) if dtype.kind in "iu" else means.astype(dtype)


def reference(dataset: Any, bands: Sequence[int], meaning: Meaning) -> Cells:
    """Return some of all cells of a dataset, evenly spread."""
    shrink = max(1.0, max(dataset.shape) / REFERENCE_SIDE)
    shape = tuple(max(1, round(side / shrink)) for side in dataset.shape)
    box = (0, dataset.height, 0, dataset.width)
    return read(dataset, bands, meaning, box, heights=False, out_shape=shape)


def percentiles(dataset: Any, channel: Channel, meaning: Meaning) -> Span:
    """Return the values at a channel's percentiles, over a reference of the whole dataset."""
    cells = reference(dataset, channel.bands, meaning)
    shown = values(channel, dict(zip(channel.bands, cells.values, strict=True)))[cells.known]
    shown = shown[np.isfinite(shown)]
    ends = (channel.stretch.low, channel.stretch.high)
    low, high = np.percentile(shown, ends) if shown.size else (0.0, 1.0)
    return Span(float(low), float(high))


def missing(cells: Cells) -> Iterator[str]:
    """Yield warnings of what was taken for holes."""
    if cells.holes:
        numbers = ", ".join(f"{number:g}" for number in sorted(cells.holes)[:3])
        yield (
            f"cells of {numbers} were taken for holes, which the file does not say; the setting "
            "`nodata` settles it"
        )
