"""Draw answers over the pictures they were found in, to be looked at: `python tests/pictures.py`.

Real pictures come from the reference data and stay out of the repository; what is drawn goes to
build/pictures.
"""

import json
import sys

import numpy as np
import shapely
from conftest import MODELS, ROOT, TEST_DATA
from PIL import Image, ImageDraw

from samgis_process.ogc.process import Context
from samgis_process.processes.segment_request import SegmentRequest
from samgis_process.rendering import to_rgb
from samgis_process.server.wiring import build_services
from samgis_process.settings import LimitSettings, parse

OUT = ROOT / "build" / "pictures"
RED, GREEN, ORANGE = (255, 40, 40), (40, 255, 80), (255, 190, 40)
RASTERS = ("zurich_ortho_2056_50cm", "naip_rgbn_utm14_5m", "pix4d_rgba_utm50s_35cm")


def point(lng, lat, label=1):
    return {"type": "point", "data": {"lng": lng, "lat": lat}, "label": label}


def rectangle(west, south, east, north):
    data = {"ne": {"lng": east, "lat": north}, "sw": {"lng": west, "lat": south}}
    return {"type": "rectangle", "data": data}


def services(tiles_url):
    data = TEST_DATA / "georaster"
    sources = {
        "sample": {"type": "sample"},
        "osm": {"type": "xyz", "url": f"{tiles_url}/osm/{{z}}/{{x}}/{{y}}.png"},
        "banepa": {
            "type": "xyz",
            "url": f"{tiles_url}/oam_banepa_512/{{z}}/{{x}}/{{y}}.jpg",
            "tile_size": 512,
            "max_zoom": 19,
        },
        **{name: {"type": "raster", "path": str(data / f"{name}.tif")} for name in RASTERS},
    }
    section = {
        "sources": sources,
        "models": {"directory": str(MODELS)},
        "cache": {"directory": str(ROOT / "build" / "cache")},
    }
    return build_services(parse(section, ROOT))


def draw(services, name, inputs):
    answer = services.processes["segment"].run(inputs, Context("picture"))["features"].value
    request = SegmentRequest.from_inputs(inputs, services.sources, LimitSettings())
    raw = request.source.read(request.grid)
    image = Image.fromarray(to_rgb(raw.bands, raw.valid, raw.stretch))
    scale = 3 if max(image.size) < 500 else 1
    image = image.resize((image.width * scale, image.height * scale))
    brush = ImageDraw.Draw(image)
    for feature in answer["features"]:
        geometry = shapely.geometry.shape(feature["geometry"])
        for part in shapely.get_parts(geometry):
            for ring in (part.exterior, *part.interiors):
                lngs, lats = np.array(ring.coords).T
                xy = np.column_stack(request.grid.pixels(lngs, lats)) * scale
                brush.line([tuple(at) for at in xy], RED, 2)
    for target in request.targets:
        for prompt in target.prompts:
            _mark(brush, prompt, request.grid, scale)
    OUT.mkdir(parents=True, exist_ok=True)
    image.save(OUT / f"{name}.png")
    scores = [feature["properties"]["score"] for feature in answer["features"]]
    print(f"{name}: {scores} {answer['samgis']['timings_ms']} {answer['samgis']['warnings']}")
    return answer


def _mark(brush, prompt, grid, scale):
    if prompt.box:
        cols, rows = grid.pixels(
            np.array([prompt.box.west, prompt.box.east]),
            np.array([prompt.box.north, prompt.box.south]),
        )
        corners = [cols[0] * scale, rows[0] * scale, cols[1] * scale, rows[1] * scale]
        brush.rectangle(corners, outline=ORANGE, width=2)
    else:
        col, row = (value * scale for value in grid.pixel(prompt.at))
        colour = GREEN if prompt.include else ORANGE
        brush.ellipse([col - 5, row - 5, col + 5, row + 5], fill=colour, outline=(0, 0, 0))


def main(tiles_url):
    """Draw the five."""
    made = services(tiles_url)
    eolie = json.loads((TEST_DATA / "samgis/events/payload_point_eolie.json").read_text())
    draw(made, "eolie", {**eolie, "source_type": "osm"})
    zurich = made.sources.get("zurich_ortho_2056_50cm").info.bounds
    print(zurich)
    draw(
        made,
        "zurich",
        {
            "source": "zurich_ortho_2056_50cm",
            "bbox": [*zurich],
            "prompt": [
                point(
                    zurich.west + 0.6 * (zurich.east - zurich.west),
                    zurich.south + 0.5 * (zurich.north - zurich.south),
                )
            ],
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
