"""Landforms as exact shapes: heights in metres, outlines as what lies inside.

Profiles are textbook ones (Wood 1980 for cinder cones: 30 degrees and a crater of .4 of the base;
Melosh 1989 for craters: ejecta fall off with the third power; Hersen 2004 for barchans: 10 degrees
to windward, slip face at the angle of repose); outlines are made uneven so that none is a circle.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evaluation.landforms.scene import Bools, Floats
from samgis_process.sources.sample.noise import fractal, smoothstep

Random = np.random.Generator
REPOSE = math.tan(math.radians(32))
CONCAVITY = 1.7  # of a stratovolcano's flank, as in the sample scene


class Form(NamedTuple):
    """What a landform adds to the ground, metres, and where it lies."""

    height: Floats
    inside: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a landform is put.

    Attributes:
        east, south: cells from its middle, float32 (rows, cols), turned into its own axes.
        radius: cells.
        cell_m: side of a cell.
        steep: tangent of the mean slope that it has.
    """

    east: Floats
    south: Floats
    radius: float
    cell_m: float
    steep: float

    @property
    def height(self) -> float:
        """Metres that `steep` gives over the radius."""
        return self.steep * self.radius * self.cell_m

    def reach(self, random: Random, uneven: float = 0.08, stretch: float = 1.0) -> Floats:
        """Return the distance from the middle as a share of the outline's, float32.

        Args:
            random: draws the outline.
            uneven: how far it may lie off, share of the radius.
            stretch: how much longer than wide it is, along its own east.
        """
        across = self.south * stretch
        azimuth = np.arctan2(across, self.east)
        outline = np.full_like(azimuth, self.radius)
        for count in (2, 3, 5, 8):
            wave = np.cos(count * azimuth + random.uniform(0, 6.3))
            outline += self.radius * uneven * 1.5 / count * random.uniform(0.5, 1) * wave
        return np.asarray(np.hypot(self.east, across) / outline, np.float32)


def stratovolcano(place: Place, random: Random) -> Form:
    """A concave cone with gullies and a small crater; the outline is its foot."""
    t = place.reach(random)
    low = math.exp(-CONCAVITY)
    flank = (np.exp(-CONCAVITY * t) - low) / (1 - low)
    rim = (math.exp(-CONCAVITY * 0.1) - low) / (1 - low)
    flank = np.where(t < 0.1, rim - 0.08 * (1 - (t / 0.1) ** 2), flank)
    carved = 0.07 * _gullies(place, random) * smoothstep(0.1, 0.3, t) * smoothstep(0, 0.4, 1 - t)
    return _inside(1.6 * place.height * (flank - carved), t)


def cinder_cone(place: Place, random: Random) -> Form:
    """A straight flank and a bowl; the outline is the foot."""
    t = place.reach(random, 0.05)
    rim = random.uniform(0.25, 0.4)
    flank = np.where(t < rim, 1 - 0.35 * (1 - (t / rim) ** 2), (1 - t) / (1 - rim))
    return _inside(place.height * (1 - rim) * flank, t)


def caldera(place: Place, random: Random) -> Form:
    """A wall around a floor, gentle slopes outside; the outline is the rim."""
    t = place.reach(random)
    wall = smoothstep(0, 0.22, 1 - t)
    inner = 1 - random.uniform(1.0, 1.5) * wall
    outer = np.exp(-(t - 1) / 0.6)
    return Form(_floats(place.height * np.where(t < 1, inner, outer)), t < 1)


def impact_crater(place: Place, random: Random) -> Form:
    """A bowl and a raised rim whose ejecta thin out; the outline is the rim."""
    t = place.reach(random, 0.04)
    rim = 0.22
    bowl = rim - (1 - t**2) * random.uniform(0.8, 1.1)
    ejecta = rim * np.maximum(t, 1) ** -3.0
    return Form(_floats(place.height * np.where(t < 1, bowl, ejecta)), t < 1)


def doline(place: Place, random: Random) -> Form:
    """A hollow with an edge."""
    t = place.reach(random, 0.1)
    return _inside(-place.height * (1 - t**2), t)


def drumlin(place: Place, random: Random) -> Form:
    """A long hill, steeper at its western end."""
    stretch = random.uniform(2.2, 3.2)
    t = place.reach(random, 0.04, stretch)
    lean = 1 - 0.35 * np.clip(place.east / place.radius, -1, 1)
    return _inside(place.height / stretch * lean * (1 - t**2), t)


def mesa(place: Place, random: Random) -> Form:
    """A flat top, a cliff and talus; the outline is the foot."""
    t = place.reach(random, 0.12)
    cliff = 0.55 * smoothstep(0, 0.05, 0.86 - t)
    talus = 0.45 * np.clip((1 - t) / 0.16, 0, 1)
    return _inside(place.height * (cliff + talus), t)


def fan(place: Place, random: Random) -> Form:
    """A piece of a cone before a mountain front, which lies along its own east at south = 0."""
    t = place.reach(random, 0.06)
    before = place.south > 0
    return Form(
        _floats(np.where(before, place.height * np.clip(1 - t, 0, None), 0)), (t < 1) & before
    )


def landslide_scar(place: Place, random: Random) -> Form:
    """A spoon with a steep crown up its own north and a lobe below; the outline is the scar."""
    t = place.reach(random, 0.08, 0.7)
    taper = 0.3 + 0.7 * np.clip(0.5 - place.south / (2 * place.radius), 0, 1)
    depth = np.clip((1 - t) / 0.25, 0, 1) * taper
    below = np.hypot(place.east / 0.8, place.south - 1.9 * place.radius) / (0.8 * place.radius)
    lobe = 0.5 * np.clip(1 - below**2, 0, None)
    return Form(_floats(place.height * (np.where(t < 1, -depth, lobe))), t < 1)


def barchan(place: Place, random: Random) -> Form:
    """A crescent: its windward side rises slowly, the slip face falls to its own east."""
    bend = 1 + 0.05 * np.cos(3 * np.arctan2(place.south, place.east) + random.uniform(0, 6))
    windward = place.radius * bend - np.hypot(place.east, place.south)
    lee_radius = place.radius * random.uniform(0.75, 0.95)
    lee = np.hypot(place.east - 0.75 * place.radius, place.south) - lee_radius
    height = place.cell_m * np.minimum(place.steep * windward, REPOSE * lee)
    return Form(_floats(np.clip(height, 0, None)), (windward > 0) & (lee > 0))


def moraine_basin(place: Place, random: Random) -> Form:
    """A basin below a headwall, dammed by a ridge; the outline is crest and wall's foot."""
    t = place.reach(random, 0.06)
    upward = 0.5 - 0.5 * place.south / np.maximum(np.hypot(place.east, place.south), 1)
    ridge = 0.4 * (1 - upward) * np.exp(-(((t - 1) / 0.13) ** 2))
    beyond = np.clip(t - 1, 0, None)
    wall = 3.0 * upward**2 * beyond * np.exp(-beyond / 0.8)
    floor = -0.5 * smoothstep(0, 0.45, 1 - t)
    return Form(_floats(place.height * (ridge + wall + floor)), t < 1)


def hill(place: Place, random: Random) -> Form:
    """A rounded hill with a soft foot."""
    t = place.reach(random, 0.12, random.uniform(1, 1.5))
    return _inside(place.height * np.clip(1 - t**2, 0, None) ** 1.3, t)


def valley_floor(place: Place, random: Random) -> Form:
    """A flat floor that winds along its own east, between slopes."""
    middle, half = _winding(place, random)
    away = np.abs(place.south - middle) - half
    slopes = place.steep * place.cell_m * np.clip(away, 0, 3.2 * place.radius)
    return Form(_floats(slopes), away < 0)


def terrace(place: Place, random: Random) -> Form:
    """A tread above a winding floor on its own south side, with a riser before and behind."""
    middle, half = _winding(place, random)
    away = place.south - middle - half
    width = place.radius * random.uniform(0.9, 1.3)
    step = 0.5 * place.height
    riser = step * np.clip(away * place.cell_m * REPOSE / step, 0, 1)
    behind = place.steep * place.cell_m * np.clip(away - width, 0, 2.5 * place.radius)
    across = place.steep * place.cell_m * np.clip(-away - 2 * half, 0, 3 * place.radius)
    edge = step / (place.cell_m * REPOSE)  # cells that the riser takes
    return Form(_floats(riser + behind + across), (away > edge) & (away < width))


def _winding(place: Place, random: Random) -> tuple[Floats, float]:
    """Return where a valley's middle lies and its half width, cells."""
    phase = random.uniform(0, 6.3, 2)
    first = np.sin(place.east / (1.7 * place.radius) + phase[0])
    second = np.sin(place.east / (0.8 * place.radius) + phase[1])
    return _floats(place.radius * (0.45 * first + 0.12 * second)), place.radius * 0.6


def _gullies(place: Place, random: Random) -> Floats:
    azimuth = np.arctan2(place.south, place.east)
    sway = 0.1 * fractal(random, azimuth.shape, 1.8)
    wave = np.cos(random.integers(7, 12) * (azimuth + sway))
    return _floats((1 - np.abs(wave)) ** 1.5)


def _inside(height: NDArray[np.floating], t: Floats) -> Form:
    return Form(_floats(np.where(t < 1, height, 0)), t < 1)


def _floats(field: NDArray[np.floating]) -> Floats:
    return np.asarray(field, np.float32)


KINDS: dict[str, Callable[[Place, Random], Form]] = {
    "stratovolcano": stratovolcano,
    "cinder cone": cinder_cone,
    "caldera": caldera,
    "impact crater": impact_crater,
    "doline": doline,
    "drumlin": drumlin,
    "mesa": mesa,
    "alluvial fan": fan,
    "landslide scar": landslide_scar,
    "barchan": barchan,
    "moraine basin": moraine_basin,
    "hill": hill,
    "valley floor": valley_floor,
    "terrace": terrace,
}
