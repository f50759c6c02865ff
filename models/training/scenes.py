"""Drawn scenes with exact truth: towns, lakes, rivers, fields and terrain.

They are free of any licence question, and hold what the pairs lack: other roofs and colours,
fields, trees in the way, soft shores, shaded relief. Pictures are float32 (side, side, 3) in
0 to 1, label maps int32 (side, side).
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage as ndi

Rng = np.random.Generator
Scene = tuple[np.ndarray, np.ndarray]
SIDE = 640  # pixels


def draw(rng: Rng) -> Scene:
    """Return a scene of a random kind: uint8 picture, label map."""
    kinds = (town, town, town, lakes, river, fields, terrain)
    image, labels = kinds[rng.integers(len(kinds))](rng)
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8), labels


def noise(rng: Rng, scale: float) -> np.ndarray:
    """Return smooth noise (side, side) of standard deviation 1; `scale` in pixels."""
    small = rng.normal(size=[max(4, int(SIDE / scale * 2) + 4)] * 2)
    order = 3 if scale > 30 else 1
    zoomed = ndi.zoom(small, SIDE / small.shape[0] * 1.3, order=order)[:SIDE, :SIDE]
    return (zoomed - zoomed.mean()) / zoomed.std()


def fractal(rng: Rng, coarsest: float, falloff: float = 0.55) -> np.ndarray:
    """Return noise with detail at every scale, standard deviation 1."""
    scales = coarsest / 2 ** np.arange(int(np.log2(coarsest)) + 1)
    layers = [falloff**i * noise(rng, scale) for i, scale in enumerate(scales)]
    total = np.sum(layers, 0)
    return total / total.std()


def ground(rng: Rng) -> np.ndarray:
    """Return textured open ground: grass, soil, sand, in patches."""
    palette = np.array(
        [[0.32, 0.4, 0.22], [0.5, 0.45, 0.33], [0.62, 0.57, 0.45], [0.25, 0.3, 0.2]]
    )
    one, two = palette[rng.permutation(4)[:2]] * rng.uniform(0.7, 1.2)
    mix = ndi.gaussian_filter(fractal(rng, 160) > rng.normal(0, 0.6), 3.0, output=np.float32)
    image = one + (two - one) * mix[..., None]
    return image * (1 + rng.uniform(0.03, 0.12) * fractal(rng, 24, 0.8))[..., None]


def polygon(corners: np.ndarray) -> np.ndarray:
    """Return the pixels inside a ring of (x, y), bool (side, side)."""
    sheet = Image.new("1", (SIDE, SIDE))
    ImageDraw.Draw(sheet).polygon([tuple(corner) for corner in corners], fill=1)
    return np.asarray(sheet)


def town(rng: Rng) -> Scene:
    """Return roofs along streets, with shadows, and trees that hide a part of some."""
    image, labels = ground(rng), np.zeros((SIDE, SIDE), np.int32)
    sun = rng.uniform(0, 2 * np.pi)
    turn, size = rng.uniform(0, np.pi), rng.uniform(18, 75)
    streets(image, turn, rng)
    for _ in range(int(rng.uniform(0.15, 0.5) * (SIDE / size) ** 2)):
        place_building(image, labels, turn, size, sun, rng)
    trees(image, labels, size, sun, rng)
    return ndi.gaussian_filter(image, (0.7, 0.7, 0)), labels


def streets(image: np.ndarray, turn: float, rng: Rng) -> None:
    """Draw a grid of streets."""
    rows, cols = np.mgrid[:SIDE, :SIDE]
    tone = rng.uniform(0.3, 0.65) * np.array([1, 0.99, 0.96])
    for angle in (turn, turn + np.pi / 2):
        across = rows * np.cos(angle) - cols * np.sin(angle) + 3 * noise(rng, 120)
        spacing, width = rng.uniform(110, 300), rng.uniform(8, 26)
        lane = (across + rng.uniform(0, spacing)) % spacing < width
        image[lane] = tone * (1 + 0.04 * rng.normal(size=(lane.sum(), 1)))


def place_building(
    image: np.ndarray, labels: np.ndarray, turn: float, size: float, sun: float, rng: Rng
) -> None:
    """Draw a building of one or two wings where there is room."""
    angle = turn + rng.normal(0, 0.06) + (rng.random() < 0.5) * np.pi / 2
    centre, half = rng.uniform(0, SIDE, 2), size * np.exp(rng.normal(0, 0.4, 2)) / 2
    wings = [(centre, half)]
    if rng.random() < 0.35:  # an L or a T
        axis = np.array([np.cos(angle), np.sin(angle)])
        wings.append((centre + axis * half[0] * rng.uniform(-0.9, 0.9), half[::-1] * [0.6, 1.0]))
    corners = [rectangle(middle, extent, angle) for middle, extent in wings]
    covered = np.any([polygon(ring) for ring in corners], 0)
    gap = ndi.binary_dilation(covered, iterations=int(rng.integers(0, 5)) or 1)
    if not covered.any() or labels[gap].any():
        return
    shade = size * rng.uniform(0.1, 0.6) * np.array([np.cos(sun), np.sin(sun)])
    dark = np.any([polygon(ring + shade * t) for ring in corners for t in (0.35, 0.7, 1)], 0)
    image[dark & (labels == 0) & ~covered] *= rng.uniform(0.35, 0.65)
    colour, hip = roof_colour(rng), rng.choice([0.0, 0.5, -1.0])
    for ring in corners:
        roof(image, ring, colour, hip, sun, rng)
    labels[covered] = labels.max() + 1


def rectangle(centre: np.ndarray, half: np.ndarray, angle: float) -> np.ndarray:
    """Return the corners (4, 2) of a turned rectangle."""
    along = np.array([np.cos(angle), np.sin(angle)]) * half[0]
    across = np.array([-np.sin(angle), np.cos(angle)]) * half[1]
    return np.array(
        [centre + s * along + t * across for s, t in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    )


def roof_colour(rng: Rng) -> np.ndarray:
    """Return tile red, slate, metal, concrete, or any other paint."""
    palette = np.array(
        [
            [0.55, 0.3, 0.22],
            [0.4, 0.4, 0.42],
            [0.75, 0.75, 0.74],
            [0.6, 0.57, 0.52],
            [0.35, 0.28, 0.24],
        ]
    )
    base = palette[rng.integers(len(palette))] if rng.random() < 0.8 else rng.uniform(0.15, 0.9, 3)
    return np.clip(base * rng.uniform(0.7, 1.3) + rng.normal(0, 0.03, 3), 0.05, 1)


def roof(
    image: np.ndarray, ring: np.ndarray, colour: np.ndarray, hip: float, sun: float, rng: Rng
) -> None:
    """Draw one wing: flat (`hip` < 0), gabled (0) or hipped (0.5), its sides lit by the sun."""
    if np.linalg.norm(ring[1] - ring[0]) < np.linalg.norm(ring[2] - ring[1]):
        ring = np.roll(ring, -1, axis=0)
    a, b, c, d = ring
    steep = rng.uniform(0.1, 0.45)
    if hip < 0:
        faces = [ring]
    else:
        along = (b - a) / np.linalg.norm(b - a) * np.linalg.norm(c - b) * hip
        left, right = (a + d) / 2 + along, (b + c) / 2 - along
        faces = [
            np.array(f)
            for f in ((a, b, right, left), (c, d, left, right), (b, c, right), (d, a, left))
        ]
    for face in faces:
        outward = face[:2].mean(0) - ring.mean(0)
        towards = np.cos(np.arctan2(outward[1], outward[0]) - sun - np.pi)
        light = 1 + (steep * towards if hip >= 0 else 0)
        inside = polygon(face)
        image[inside] = colour * light
    inside = polygon(ring)
    image[inside] *= 1 + rng.uniform(0.01, 0.08) * rng.normal(size=(inside.sum(), 1))
    if hip < 0 and rng.random() < 0.7:
        clutter(image, ring, rng)


def clutter(image: np.ndarray, ring: np.ndarray, rng: Rng) -> None:
    """Draw what stands on a flat roof."""
    for _ in range(rng.integers(1, 5)):
        s, t = rng.uniform(0.15, 0.85, 2)
        middle = ring[0] + s * (ring[1] - ring[0]) + t * (ring[3] - ring[0])
        angle = np.arctan2(*(ring[1] - ring[0])[::-1])
        image[polygon(rectangle(middle, rng.uniform(1.5, 6, 2), angle))] = rng.uniform(0.1, 0.95)


def trees(image: np.ndarray, labels: np.ndarray, size: float, sun: float, rng: Rng) -> None:
    """Draw crowns with shadows; what they hide of a roof is no longer its visible part."""
    green = np.array([0.2, 0.3, 0.14]) * rng.uniform(0.7, 1.5)
    rows, cols = np.mgrid[:SIDE, :SIDE]
    ragged = noise(rng, 8) * 0.18
    for _ in range(int(rng.uniform(0, 120))):
        y, x = rng.uniform(0, SIDE, 2)
        radius = size * rng.uniform(0.08, 0.3) + 2
        at = np.s_[
            max(0, int(y - 2 * radius)) : int(y + 2 * radius),
            max(0, int(x - 2 * radius)) : int(x + 2 * radius),
        ]
        dy, dx = rows[at] - y, cols[at] - x
        shadow = (
            np.hypot(dy - np.sin(sun) * radius * 0.6, dx - np.cos(sun) * radius * 0.6) < radius
        )
        image[at][shadow & (labels[at] == 0)] *= 0.7
        crown = np.hypot(dy, dx) / radius < 1 + ragged[at]
        lit = 1 - 0.35 * (dy * np.sin(sun) + dx * np.cos(sun)) / radius
        image[at][crown] = (green * lit[..., None])[crown]
        labels[at][crown] = 0


def blob(rng: Rng, centre: np.ndarray, radius: float) -> np.ndarray:
    """Return the signed distance-like field of a ragged round shape; inside is above 0."""
    rows, cols = np.mgrid[:SIDE, :SIDE]
    dy, dx = rows - centre[0], (cols - centre[1]) * rng.uniform(0.6, 1.6)
    angle, edge = np.arctan2(dy, dx), 1.0
    for wave in range(1, 9):
        edge = edge + rng.normal(0, 0.16 / wave**0.7) * np.cos(wave * angle + rng.uniform(0, 6.3))
    return radius * edge - np.hypot(dy, dx)


def water(image: np.ndarray, inside: np.ndarray, rng: Rng) -> None:
    """Colour `inside` as water, with a shore that may be soft or ringed by reeds."""
    colours = np.array(
        [[0.1, 0.14, 0.18], [0.2, 0.28, 0.26], [0.4, 0.4, 0.3], [0.3, 0.5, 0.55], [0.6, 0.62, 0.6]]
    )
    colour = colours[rng.integers(5)] * rng.uniform(0.6, 1.3) + rng.normal(0, 0.03, 3)
    if rng.random() < 0.4:
        ring = ndi.gaussian_filter(inside.astype(np.float32), rng.uniform(3, 9))
        reeds = (ring > 0.15) & ~inside
        image[reeds] = image[reeds] * 0.5 + 0.5 * np.array([0.25, 0.33, 0.15])
    soft = ndi.gaussian_filter(inside.astype(np.float32), rng.uniform(0.5, 3))[..., None]
    surface = colour * (1 + 0.06 * fractal(rng, 60))[..., None]
    image[:] = image * (1 - soft) + surface * soft


def lakes(rng: Rng) -> Scene:
    """Return lakes and ponds among fields or open ground."""
    image = fields(rng)[0] if rng.random() < 0.6 else ground(rng)
    labels = np.zeros((SIDE, SIDE), np.int32)
    for _ in range(rng.integers(2, 14)):
        inside = blob(rng, rng.uniform(0, SIDE, 2), rng.uniform(10, 110)) > 0
        if inside.any() and not labels[ndi.binary_dilation(inside, iterations=4)].any():
            water(image, inside, rng)
            labels[inside] = labels.max() + 1
    return image, labels


def river(rng: Rng) -> Scene:
    """Return a winding river with islands, and perhaps an oxbow."""
    image, labels = ground(rng), np.zeros((SIDE, SIDE), np.int32)
    line = SIDE * rng.uniform(0.25, 0.75) + np.zeros(SIDE)
    for wave in range(1, 6):
        phase = 2 * np.pi * (wave * np.arange(SIDE) / SIDE + rng.random())
        line += rng.normal(0, 75 / wave) * np.sin(phase)
    edges = np.zeros((SIDE, SIDE), bool)
    steps = np.arange(SIDE)
    for offset in np.linspace(0, 1, 12)[:-1]:  # a closed line even where it runs steeply
        between = line + (np.append(line[1:], line[-1]) - line) * offset
        edges[steps, np.clip(between, 0, SIDE - 1).astype(int)] = True
    width = rng.uniform(8, 45) * (1 + 0.25 * noise(rng, 90))
    inside = ndi.distance_transform_edt(~edges) < width
    for _ in range(rng.integers(0, 4)):
        at = rng.integers(SIDE)
        inside &= blob(rng, np.array([at, line[at]]), rng.uniform(5, 18)) < 0
    water(image, inside, rng)
    labels[inside] = 1
    if rng.random() < 0.5:
        image, labels = np.rot90(image), np.rot90(labels)
    return image, labels


def fields(rng: Rng) -> Scene:
    """Return parcels in rows, each with its crop, its furrows and its hedge."""
    rows, cols = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    turn, size = rng.uniform(0, np.pi), rng.uniform(50, 200)
    u = rows * np.cos(turn) - cols * np.sin(turn) + 2 * SIDE + 6 * noise(rng, 200)
    v = rows * np.sin(turn) + cols * np.cos(turn) + 2 * SIDE + 6 * noise(rng, 200)
    strip = (u // size).astype(int)
    shift, length = rng.uniform(0, size, 100), size * rng.uniform(0.5, 2.5, 100)
    parcel = ((v + shift[strip]) // length[strip]).astype(int)
    _, labels = np.unique(strip * 1000 + parcel, return_inverse=True)
    labels = labels.reshape(SIDE, SIDE).astype(np.int32) + 1
    count = labels.max() + 1
    colours = ground(rng)[rng.integers(SIDE, size=count), rng.integers(SIDE, size=count)]
    colours = np.clip(
        colours * rng.uniform(0.6, 1.5, (count, 1)) + rng.normal(0, 0.05, (count, 3)), 0, 1
    )
    furrow = np.sin(np.where(labels % 2, u, v) * rng.uniform(0.6, 1.6))
    depth = rng.uniform(0, 0.08, count)[labels] * furrow
    image = colours[labels] * (1 + depth + 0.05 * fractal(rng, 40, 0.8))[..., None]
    border = ndi.maximum_filter(labels, 3) != ndi.minimum_filter(labels, 3)
    border = ndi.binary_dilation(border, iterations=int(rng.integers(1, 4)))
    image[border] = image[border] * 0.4 + 0.6 * rng.uniform(0.15, 0.6) * np.array([0.9, 1, 0.8])
    return image, np.where(border, 0, labels)


def terrain(rng: Rng) -> Scene:
    """Return relief in shade and elevation tints: cones with craters, basins, mesas."""
    height = rng.uniform(5, 25) * fractal(rng, 200, 0.33)
    labels = np.zeros((SIDE, SIDE), np.int32)
    for _ in range(rng.integers(1, 6)):
        radius = rng.uniform(25, 130)
        field = blob(rng, rng.uniform(0, SIDE, 2), radius)
        inside = field > 0
        if inside.any() and not labels[inside].any():
            height += landform(field, radius, rng)
            labels[inside] = labels.max() + 1
    return tinted(height, rng), labels


def landform(field: np.ndarray, radius: float, rng: Rng) -> np.ndarray:
    """Return the heights of a cone with a crater, a basin or a mesa; zero outside."""
    rise = np.clip(field, 0, None)
    kind = rng.integers(3)
    if kind == 0:
        rim = radius * rng.uniform(0.6, 0.95)
        return rng.uniform(0.5, 1.2) * np.where(rise < rim, rise, 2 * rim - rise)
    top = np.minimum(rise, radius * rng.uniform(0.1, 0.4)) * rng.uniform(0.6, 1.5)
    return top if kind == 1 else -top


def tinted(height: np.ndarray, rng: Rng) -> np.ndarray:
    """Return a hillshade, mostly with elevation tints."""
    rows, cols = np.gradient(height)
    sun, low = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1)
    light = (low - rows * np.sin(sun) - cols * np.cos(sun)) / np.sqrt(1 + rows**2 + cols**2)
    shade = np.clip((light + 0.6) / 1.8, 0, 1)[..., None]
    if rng.random() < 0.25:
        return np.repeat(shade, 3, -1)
    ramp = np.array([[0.2, 0.4, 0.25], [0.6, 0.65, 0.35], [0.6, 0.45, 0.3], [0.95, 0.95, 0.95]])
    ramp = ramp if rng.random() < 0.6 else rng.uniform(0.1, 1, (4, 3))
    place = (height - height.min()) / np.ptp(height) * 3
    tint = np.stack([np.interp(place, range(4), ramp[:, band]) for band in range(3)], -1)
    return tint * (0.35 + 0.9 * shade)
