"""The picture: everything in its place, lit by one sun, seen through air and a lens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from shapely.affinity import scale
from shapely.geometry import Point
from shapely.ops import unary_union

from samgis_process.sources.sample import built, canopy, cover, water
from samgis_process.sources.sample.layout import shapes, visible
from samgis_process.sources.sample.light import shade, shadow
from samgis_process.sources.sample.noise import Floats, enlarge, fractal, smoothstep, soften
from samgis_process.sources.sample.settlement import VILLAGE
from samgis_process.sources.sample.shape import SEED, SIDE

# The sky lights what the sun does not reach; photographs of clear days show a third to a half.
SKYLIGHT = 0.46
LENS_SIGMA = 0.62  # px, an edge in orthophotos is two pixels wide
SENSOR_NOISE = 2.6  # levels
HAZE = 0.07  # part of the light that comes from the air below the camera
BARE = ("river", "lake", "road", "roof", "yard")  # where no hedge grows
GARDENS = 250.0  # px around the village's crossroads
MOUTH = Point(612, 1180)  # where Alder River meets Heron Lake

Report = Callable[[str, float | None], None]


def imagery(elevation: Floats, ground_res: float, report: Report) -> NDArray[np.uint8]:
    """Return the picture, uint8 (SIDE, SIDE, 3) RGB; the same at every call.

    Args:
        elevation: metres, what `relief.elevation` returns.
        ground_res: metres per pixel of the picture.
        report: told what is being drawn, and which part of all is done.
    """
    rng = np.random.default_rng(SEED + 2)
    report("ground", 0.2)
    noise = cover.grain(rng)
    picture = cover.wild(noise)
    terrain = enlarge(elevation, (SIDE, SIDE))
    _paint_ground(picture, elevation, noise, rng)
    picture *= (0.3 + 0.7 * shade(terrain, ground_res))[..., None]
    report("water, roads and roofs", 0.45)
    standing = np.zeros((SIDE, SIDE), np.float32)
    _paint_objects(picture, standing, ground_res, noise, rng)
    report("trees", 0.6)
    crowns = canopy.grow(_stands(rng), rng)
    _paint_crowns(picture, crowns, ground_res, noise)
    report("light", 0.75)
    _darken(picture, shadow(np.maximum(standing, crowns.height), ground_res))
    return _exposed(picture, rng)


def _paint_ground(
    picture: Floats, elevation: Floats, noise: cover.Grain, rng: np.random.Generator
) -> None:
    for shape in shapes():
        if shape.kind == "volcano":
            cover.paint_volcano(picture, shape, elevation, noise)
        elif shape.kind == "field":
            cover.paint_field(picture, shape, noise, rng)
        elif shape.kind == "yard":
            cover.paint_yard(picture, shape, noise)


def _paint_objects(
    picture: Floats,
    standing: Floats,
    ground_res: float,
    noise: cover.Grain,
    rng: np.random.Generator,
) -> None:
    for shape in shapes():
        if shape.kind == "river":
            water.paint_river(picture, shape, noise)
        elif shape.kind == "lake":
            mouth = MOUTH if shape.outline.buffer(20).contains(MOUTH) else None
            water.paint_lake(picture, shape, mouth, rng)
        elif shape.kind in ("reed", "island"):
            water.paint_reeds(picture, shape, noise)
        elif shape.kind == "road":
            built.paint_road(picture, shape, noise)
        elif shape.kind == "roof":
            built.paint_roof(picture, standing, shape, ground_res, rng)


def _stands(rng: np.random.Generator) -> list[canopy.Trees]:
    fields = [shape for shape in shapes() if shape.kind == "field"]
    woods = [part for shape, part in visible() if shape.kind in ("wood", "island")]
    clear = unary_union([s.outline.buffer(3) for s in shapes() if s.kind in BARE])
    hedges = canopy.along_edges(fields, clear, rng)
    return [*(canopy.in_wood(wood, rng) for wood in woods), hedges, *_singles(rng)]


def _singles(rng: np.random.Generator) -> list[canopy.Trees]:
    """Return single trees: in gardens, on the volcano's foot and along the rivers."""
    clear = {"roof": 5.0, "road": 3.0, "lake": 3.0, "yard": 3.0, "field": 1.0}
    near = [
        s for s in shapes() if s.kind in clear and s.outline.distance(Point(VILLAGE)) < GARDENS
    ]
    taken = unary_union([s.outline.buffer(clear[s.kind]) for s in near])
    gardens = Point(VILLAGE).buffer(GARDENS).difference(taken)
    mountain = next(s.outline for s in shapes() if s.kind == "volcano")
    foot = mountain.difference(scale(mountain, 0.76, 0.76))
    waters = unary_union([s.outline.buffer(4) for s in shapes() if s.kind in ("lake", "road")])
    banks = [
        s.outline.buffer(8).difference(s.outline.buffer(2.5)).difference(waters)
        for s in shapes()
        if s.kind == "river"
    ]
    places = [(gardens, 900), (foot, 1100), *((bank, 5000) for bank in banks)]
    return [canopy.scattered(place, count, rng) for place, count in places]


def _darken(picture: Floats, dimmed: Floats) -> None:
    """Leave skylight, which is bluer than the sun's, where the sun does not reach."""
    rows, cols = np.nonzero(dimmed)
    lost = np.array((1 - SKYLIGHT, 0.94 - SKYLIGHT, 0.84 - SKYLIGHT), np.float32)
    picture[rows, cols] *= 1 - dimmed[rows, cols, None] * lost


def _paint_crowns(
    picture: Floats, crowns: canopy.Canopy, ground_res: float, noise: cover.Grain
) -> None:
    height = soften(crowns.height, 0.55)
    rows, cols = np.nonzero(height)
    lit = np.clip(shade(height, ground_res * 1.6)[rows, cols, None], 0, 1.9)
    leaf, warm = np.array((74, 92, 52), np.float32), np.array((14, 7, 2), np.float32)
    tone = crowns.tone[rows, cols] + 0.5 * noise.broad[rows, cols]
    colours = (leaf + tone[:, None] * warm) * (0.42 + 0.58 * lit)
    colours += 4 * noise.fine[rows, cols, None]
    alpha = smoothstep(0, 2.0, height[rows, cols, None])
    picture[rows, cols] += (colours - picture[rows, cols]) * alpha


def _exposed(picture: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return what the camera records: blurred, hazy, noisy."""
    seen = soften(picture, LENS_SIGMA)
    seen *= 1 - HAZE
    seen += HAZE * np.array((150, 160, 172), np.float32)
    seen += (SENSOR_NOISE * fractal(rng, (SIDE, SIDE), 0.15))[..., None]
    seen += rng.standard_normal(seen.shape, dtype=np.float32) * np.float32(0.4 * SENSOR_NOISE)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)
