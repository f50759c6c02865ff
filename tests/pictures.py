"""Draw answers over the pictures they were found in, to be looked at: `make pictures`.

What is drawn over reference data stays in build/pictures; the sample scene's picture, which is our
own drawing, is the one in the README.
"""

import json
import sys

import numpy as np
import shapely
from conftest import MODELS, ROOT, TEST_DATA, load_script
from PIL import Image, ImageDraw

from samgis_process.blobs import BlobStore
from samgis_process.ogc.process import Context
from samgis_process.processes.pictures import Pictures
from samgis_process.processes.segment_request import SegmentRequest
from samgis_process.server.wiring import build_services
from samgis_process.settings import LimitSettings, parse
from samgis_process.sources.picture import picture

OUT = ROOT / "build" / "pictures"
RED, GREEN, ORANGE = (255, 40, 40), (40, 255, 80), (255, 190, 40)
RASTERS = ("zurich_ortho_2056_50cm", "naip_rgbn_utm14_5m", "pix4d_rgba_utm50s_35cm")


def point(lng, lat, label=1):
    return {"type": "point", "data": {"lng": lng, "lat": lat}, "label": label}


def rectangle(west, south, east, north):
    data = {"ne": {"lng": east, "lat": north}, "sw": {"lng": west, "lat": south}}
    return {"type": "rectangle", "data": data}


def services(tiles_url):
    """Return the services over real tiles and rasters."""
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


def draw(services, name, inputs, path=None):
    """Run `inputs` and draw the answer over its window."""
    context = Context("picture")
    answer = services.processes["segment"].run(inputs, context)["features"].value
    pictures = Pictures(BlobStore(OUT / "pictures", 1), LimitSettings())
    request = SegmentRequest.from_inputs(
        inputs, services.sources, services.models, LimitSettings(), pictures
    )
    image = Image.fromarray(picture(request.source, request.grid, request.rendering).image)
    scale = 3 if max(image.size) < 500 else 1
    image = image.resize((image.width * scale, image.height * scale))
    brush = ImageDraw.Draw(image)
    for feature in answer["features"]:
        for part in shapely.get_parts(shapely.geometry.shape(feature["geometry"])):
            for ring in (part.exterior, *part.interiors):
                xy = np.column_stack(request.grid.pixels(*np.array(ring.coords).T)) * scale
                brush.line([tuple(at) for at in xy], RED, 2)
    for target in request.targets:
        for prompt in target.prompts:
            _mark(brush, prompt, request.grid, scale)
    path = path or OUT / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    found = [(f["properties"]["score"], f["properties"]["area_m2"]) for f in answer["features"]]
    print(f"{name}: {found} {answer['samgis']['timings_ms']} {answer['samgis']['warnings']}")


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


def within(bounds, *shares):
    """Return degrees from shares of bounds: (across, down) pairs."""
    west, south, east, north = bounds
    places = []
    for across, down in zip(shares[::2], shares[1::2], strict=True):
        places += [west + across * (east - west), north - down * (north - south)]
    return places


def main():
    """Draw them all."""
    with load_script("tile_server").TileServer(TEST_DATA / "tiles") as tiles:
        made = services(tiles.url)
        lake = {
            "bbox": [-29.59652, 41.25536, -29.58304, 41.26479],
            "zoom": 16,
            "prompt": [point(-29.58979, 41.26234)],
        }
        draw(made, "sample lake", lake, ROOT / "docs" / "pictures" / "sample-lake.jpg")
        eolie = json.loads((TEST_DATA / "samgis/events/payload_point_eolie.json").read_text())
        draw(made, "osm islands", {**eolie, "source_type": "osm"})
        eolie["prompt"].append(point(14.97, 38.40, 0))
        draw(made, "osm island, one excluded", {**eolie, "source_type": "osm"})
        zurich = made.sources.get(RASTERS[0]).info.bounds
        roofs = within(zurich, 0.6, 0.5, 0.385, 0.15, 0.77, 0.4)
        prompts = [point(*roofs[i : i + 2]) for i in (0, 2, 4)]
        inputs = {"source": RASTERS[0], "bbox": [*zurich], "prompt": prompts, "separate": True}
        draw(made, "zurich roofs, LV95 raster", inputs)
        ponds = made.sources.get(RASTERS[1]).info.bounds
        places = within(ponds, 0.52, 0.62, 0.396, 0.765, 0.57, 0.37)
        prompts = [point(*places[i : i + 2]) for i in (0, 2, 4)]
        inputs = {"source": RASTERS[1], "bbox": [*ponds], "prompt": prompts, "separate": True}
        draw(made, "naip ponds, UTM raster", inputs)
        bbox = [85.51970, 27.63240, 85.52150, 27.63390]
        roofs = ((0.345, 0.32, 0.43, 0.402), (0.555, 0.2, 0.7, 0.352), (0.25, 0.78, 0.35, 0.9))
        corners = [within(bbox, *shares) for shares in roofs]
        prompts = [rectangle(west, south, east, north) for west, north, east, south in corners]
        inputs = {"source": "banepa", "zoom": 19, "bbox": bbox, "prompt": prompts}
        for model in made.models.ids:
            draw(made, f"banepa roofs, 512 px tiles, {model}", {**inputs, "model": model})


if __name__ == "__main__":
    sys.exit(main())
