"""Landforms of real elevation models, outlined by rules that anybody can repeat.

Hills and hollows: the lowest closed contour around a summit (or pit) that holds no higher summit
(deeper pit), then the contour at `SHARE` of the height between that one and the summit. Blocks and
bowls: what stands over the morphological opening by a disc (lies under the closing), such as roofs
and a breached crater. Flats: connected ground flatter than `FLAT_DEG`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from scipy import ndimage

from models.evaluation import protocol
from models.evaluation.landforms.scene import HALO, Bools, Floats, Labels, Scene

SEED = 7
LEVELS = 100  # contours between the lowest and the highest ground
SHARE = 0.9  # of the height over the lowest closed contour: the last tenth is often a saddle's arm
FLAT_DEG = 3.0
FOOT_DEG = 18.0  # where a cone ends
BANK = 2.0  # times FLAT_DEG: least median slope around a flat, else it only narrows there
WIDEST = 25  # cells of a disc; larger ones are applied to every n-th cell
LEAST_CELLS = 150
MOST = 0.25  # of the elevation model that a landform may cover
ROUND = 0.5  # least 4 pi area / perimeter^2: no threads along contours
FLANK = math.tan(math.radians(5))  # least height over the radius of a disc of the same area
STANDS = 1.5  # least height over the deviation of the elevation along the outline
SIDES = (512, 768, 1024)  # of pictures; the first that has two pixels for every cell
AROUND = (3.0, 5.0)  # the window's side over the landform's, drawn evenly
PER_RULE = 4  # landforms of one rule and one elevation model

Shape = tuple[int, int]


class Model(NamedTuple):
    """An elevation model: metres with NaN, the sides of a cell, which rules are asked of it."""

    name: str
    elevation: Floats
    cell_m: float
    rules: tuple[str, ...]


class Source(NamedTuple):
    """A file, the rules asked of it, and the disc's radius for `block` and `bowl`, metres."""

    file: str
    rules: tuple[str, ...]
    disc_m: float = 0.0
    stands_m: float = 0.0


SOURCES = (
    Source("sainte_helens_int16.tif", ("hill", "cone")),
    Source("sainte_helens_int16.tif", ("bowl",), 1500.0, 120.0),
    Source("jacksboro_fault_4326_float32.tif", ("hill", "flat")),
    Source("srtm_bigtujunga_utm11_int16.tif", ("hill", "flat")),
    Source("elev_vinschgau_utm32_float32_nodata.tif", ("hill", "flat")),
    Source("rgbify_elev_3857_float32.tif", ("block",), 80.0, 8.0),
    Source("swiss_dem_2056_float32_nodata.tif", ("hill", "hollow", "block", "bowl"), 60.0, 5.0),
    Source("srtm_swellendam_utm33s_int16.tif", ("hill",)),
    Source("dem_4269_float32_nodata.tif", ("hill", "flat")),
    Source("nz_dtm_2193_float32_1m.tif", ("hill", "hollow", "block", "bowl"), 30.0, 4.0),
    Source("dsm_utm18_float32_nodata.tif", ("block",), 40.0, 3.0),
)


class Found(NamedTuple):
    """A landform of a model: its mask, and how high or deep it is, metres."""

    kind: str
    mask: Bools
    height_m: float


def scenes(directory: Path, sources: Sequence[Source] = SOURCES) -> Iterator[Scene]:
    """Yield a window for each landform of the elevation models in `directory`."""
    for source in sources:
        elevation, cell_m = read(directory / source.file)
        for number, one in enumerate(landforms(elevation, cell_m, source)):
            yield window(elevation, cell_m, one, f"{Path(source.file).stem} {one.kind} {number}")


def read(path: Path) -> tuple[Floats, float]:
    """Return metres with NaN where unknown, and the side of a cell.

    Rows are resampled where a cell is not square on the ground, as in degrees.
    """
    with rasterio.open(path) as file:
        band = file.read(1, masked=True).astype(np.float32)
        across, down = abs(file.transform.a), abs(file.transform.e)
        latitude = (file.bounds.top + file.bounds.bottom) / 2
        crs = file.crs
        if file.nodata is None and band.min() == 0:  # filled, though no value is declared
            band = np.ma.masked_equal(band, 0)
    elevation = np.asarray(band.filled(np.nan), np.float32)
    if crs.is_geographic:
        down *= 111320.0
        across *= 111320.0 * math.cos(math.radians(latitude))
    elif crs.to_epsg() == 3857:
        scale = 1 / math.cosh(latitude / 6378137.0)
        across, down = across * scale, down * scale
    if abs(across / down - 1) > 0.01:
        rows = round(elevation.shape[0] * down / across)
        elevation = enlarge(elevation, (rows, elevation.shape[1]))
    return elevation, across


def landforms(elevation: Floats, cell_m: float, source: Source) -> list[Found]:
    """Return what the rules find and the criteria leave, at most `PER_RULE` of each."""
    found = []
    for rule in source.rules:
        kept = [
            one
            for one in RULES[rule](elevation, cell_m, source)
            if is_sound(one, elevation, cell_m)
        ]
        found += _spread_by_size(_apart(kept))
    return found


def is_sound(found: Found, elevation: Floats, cell_m: float) -> bool:
    """Whether a landform is of usable size, whole, compact and steep enough to be one."""
    area = int(found.mask.sum())
    if not LEAST_CELLS <= area <= MOST * found.mask.size:
        return False
    near_edge = ~ndimage.binary_erosion(np.isfinite(elevation), iterations=2, border_value=0)
    if (found.mask & near_edge).any():
        return False
    radius = math.sqrt(area / math.pi) * cell_m
    stands = found.height_m >= max(FLANK * radius, STANDS * _tilt(found.mask, elevation))
    return (found.kind == "flat" or stands) and roundness(found.mask) >= ROUND


def _tilt(mask: Bools, elevation: Floats) -> float:
    """Return the standard deviation of the elevation along an outline."""
    return float(elevation[mask & ~ndimage.binary_erosion(mask)].std())


def roundness(mask: Bools) -> float:
    """Return 4 pi area / perimeter^2, 1 for a disc; the perimeter is measured without stairs."""
    soft = ndimage.gaussian_filter(mask.astype(np.float32), 1.0)
    down, right = np.gradient(soft)
    perimeter = float(np.hypot(down, right).sum())
    return 4 * math.pi * float(mask.sum()) / perimeter**2 if perimeter else 0.0


def hills(elevation: Floats, cell_m: float, source: Source, sign: int = 1) -> list[Found]:
    """Return what lies within the contour at `SHARE` of each summit's own height."""
    del cell_m, source
    height = np.nan_to_num(sign * elevation, nan=-1e9)
    keys = key_levels(height, np.isfinite(elevation))
    found = []
    for place, key in keys.items():
        own = float(height[place] - key)
        level = height[place] - SHARE * own
        regions, _ = ndimage.label(height >= level)
        mask = ndimage.binary_fill_holes(regions == regions[place])
        found.append(Found("hill" if sign > 0 else "hollow", mask, own))
    return found


def key_levels(height: Floats, known: Bools) -> dict[Shape, float]:
    """Return {summit: its lowest closed contour} of `height`.

    A contour counts as closed while what lies above it reaches neither the edge nor unknown
    ground nor a higher summit. Contours are `LEVELS` even steps, so keys are that exact; summits
    that stand out by less than two steps are left out.
    """
    outside = ndimage.binary_dilation(~np.pad(known, 1))[1:-1, 1:-1]
    levels = np.linspace(height[known].max(), height[known].min(), LEVELS)
    keys: dict[Shape, float] = {}
    for level in levels:
        regions, count = ndimage.label(height >= level)
        if not count:
            continue
        open_ones = set(np.unique(regions[outside]).tolist())
        tops = ndimage.maximum_position(height, regions, range(1, count + 1))
        for number, (row, col) in enumerate(tops, 1):
            if number not in open_ones:
                keys[int(row), int(col)] = float(level)
    step = float(levels[0] - levels[1])
    return {top: key for top, key in keys.items() if height[top] - key >= 2 * step}


def blocks(elevation: Floats, cell_m: float, source: Source, sign: int = 1) -> list[Found]:
    """Return what stands at least `stands_m` over the opening by a disc of `disc_m`."""
    height = sign * _filled(elevation)
    step = max(1, round(source.disc_m / cell_m / WIDEST))
    radius = round(source.disc_m / cell_m / step)
    ground = ndimage.grey_opening(height[::step, ::step], footprint=disc(radius), mode="nearest")
    above = height - _again(ground, step, height.shape)
    regions, count = ndimage.label(ndimage.binary_opening(above > source.stands_m))
    masks = [ndimage.binary_fill_holes(regions == k) for k in range(1, count + 1)]
    kind = "block" if sign > 0 else "bowl"
    inside = _far_inside(elevation, source.disc_m / cell_m)
    return [
        Found(kind, mask, float(above[mask].max()))
        for mask in masks
        if inside[mask].all() and mask.sum() > 50
    ]


def cones(elevation: Floats, cell_m: float, source: Source) -> list[Found]:
    """Return the ground above the highest mountain's foot.

    The foot is the lowest contour, of those in even steps down from the summit, outside which
    the next step still falls with at least `FOOT_DEG` on average.
    """
    del source
    height = _filled(elevation)
    top = np.unravel_index(int(np.nanargmax(elevation)), elevation.shape)
    down, right = np.gradient(ndimage.gaussian_filter(height, 1.0), cell_m)
    slope = np.degrees(np.arctan(np.hypot(down, right)))
    levels = np.linspace(float(height[top]), float(np.nanmin(elevation)), LEVELS)
    cone = np.zeros(elevation.shape, bool)
    for level in levels[LEVELS // 10 :]:  # the top is no flank yet
        regions, _ = ndimage.label(height >= level)
        inside = ndimage.binary_fill_holes(regions == regions[top])
        if cone.any() and slope[inside & ~cone].mean() < FOOT_DEG:
            break
        cone = np.asarray(inside)
    return [Found("cone", cone, float(height[top] - height[cone].min()))]


def _far_inside(elevation: Floats, cells: float) -> Bools:
    """Return where a disc of `cells` lies on known ground: nearer the edge it sees too little."""
    known = np.pad(np.isfinite(elevation), 1)
    return np.asarray(ndimage.distance_transform_edt(known)[1:-1, 1:-1] > cells)


def _again(field: Floats, step: int, shape: tuple[int, ...]) -> Floats:
    """Return every `step`-th cell of a grid spread over all its cells, bilinear."""
    rows, cols = np.meshgrid(*(np.arange(size) / step for size in shape), indexing="ij")
    return np.asarray(ndimage.map_coordinates(field, [rows, cols], order=1, mode="nearest"))


def flats(elevation: Floats, cell_m: float, source: Source) -> list[Found]:
    """Return connected ground of less than `FLAT_DEG`, without what is thinner than 5 cells."""
    del source
    smooth = ndimage.gaussian_filter(_filled(elevation), 1.0)
    down, right = np.gradient(smooth, cell_m)
    slope = np.degrees(np.arctan(np.hypot(down, right)))
    even = slope < FLAT_DEG
    regions, count = ndimage.label(ndimage.binary_opening(even, disc(2)))
    sizes = np.bincount(regions.ravel())
    masks = [
        ndimage.binary_fill_holes(regions == k)
        for k in range(1, count + 1)
        if sizes[k] >= LEAST_CELLS
    ]
    banked = [mask for mask in masks if np.median(slope[_ring(mask)]) >= BANK * FLAT_DEG]
    return [Found("flat", mask, 0.0) for mask in banked]


def _ring(mask: Bools) -> Bools:
    return np.asarray(ndimage.binary_dilation(mask, disc(5)) & ~mask)


def disc(radius: int) -> Bools:
    """Return a disc of cells."""
    rows, cols = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(rows**2 + cols**2 <= radius**2 + radius)


Rule = Callable[[Floats, float, Source], list[Found]]
RULES: dict[str, Rule] = {
    "hill": hills,
    "hollow": functools.partial(hills, sign=-1),
    "block": blocks,
    "bowl": functools.partial(blocks, sign=-1),
    "flat": flats,
    "cone": cones,
}


def window(elevation: Floats, cell_m: float, found: Found, name: str) -> Scene:
    """Return the window around a landform, resampled with bicubic splines, with its halo.

    Ground beyond the elevation model is the model's edge, carried on.
    """
    random = np.random.default_rng([SEED, *name.encode()])
    rows, cols = protocol.extent(found.mask)
    side = max(rows.stop - rows.start, cols.stop - cols.start) * random.uniform(*AROUND)
    side = int(min(side, *elevation.shape))
    top, left = (
        int(np.clip((s.start + s.stop - side) / 2 + random.uniform(-0.1, 0.1) * side, 0, n - side))
        for s, n in zip((rows, cols), elevation.shape, strict=True)
    )
    pixels = next((size for size in SIDES if size >= 2 * side), SIDES[-1])
    step = side / pixels
    known = _sampled(np.isfinite(elevation).astype(np.float32), top, left, step, pixels, 1) > 0.999
    heights = _sampled(_filled(elevation), top, left, step, pixels, 3)
    inner = slice(HALO, -HALO)
    soft = ndimage.gaussian_filter(found.mask.astype(np.float32), 0.6)
    mask = _sampled(soft, top, left, step, pixels, 1)[inner, inner] > 0.5
    labels: Labels = mask.astype(np.int32)
    heights[~known] = np.nan
    return Scene(name, "real", heights, cell_m * step, labels, (found.kind,), (1,))


def _sampled(field: Floats, top: int, left: int, step: float, pixels: int, order: int) -> Floats:
    places = (np.arange(-HALO, pixels + HALO) + 0.5) * step - 0.5
    rows, cols = np.meshgrid(places + top, places + left, indexing="ij")
    sampled = ndimage.map_coordinates(field, [rows, cols], order=order, mode="nearest")
    return np.asarray(sampled, np.float32)


def enlarge(field: Floats, shape: Shape) -> Floats:
    """Return `field` resampled to `shape`; unknown cells stay unknown."""
    zoom = (shape[0] / field.shape[0], shape[1] / field.shape[1])
    drawn = ndimage.zoom(_filled(field), zoom, order=3, mode="nearest", grid_mode=True)
    unknown = ndimage.zoom((~np.isfinite(field)).astype(np.float32), zoom, order=1)
    return np.asarray(np.where(unknown > 0.01, np.nan, drawn), np.float32)


def _filled(elevation: Floats) -> Floats:
    """Return the elevation with the nearest known value where it is unknown."""
    unknown = ~np.isfinite(elevation)
    if not unknown.any():
        return elevation
    nearest: NDArray[np.intp] = ndimage.distance_transform_edt(
        unknown, return_distances=False, return_indices=True
    )
    return np.asarray(elevation[tuple(nearest)], np.float32)


def _apart(found: Sequence[Found]) -> list[Found]:
    """Return landforms of which none holds another: the higher one stays."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: -f.height_m):
        if not any((one.mask & other.mask).any() for other in kept):
            kept.append(one)
    return kept


def _spread_by_size(found: Sequence[Found]) -> list[Found]:
    """Return at most `PER_RULE`, evenly from the largest to the smallest."""
    by_size = sorted(found, key=lambda one: -int(one.mask.sum()))
    if len(by_size) <= PER_RULE:
        return by_size
    places = np.linspace(0, len(by_size) - 1, PER_RULE).round().astype(int)
    return [by_size[k] for k in places]
