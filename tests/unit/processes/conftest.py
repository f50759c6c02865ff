import types

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from samgis_process.grid import GeoBox

# The picture: 256 x 256 pixels of zoom 15, so that a pixel is a cell of the model's mask grid.
GRID = GeoBox(15, 34_400 * 128 + 37, 23_100 * 128 + 11, 256, 256)
GRASS, WATER, ROOF = (70, 110, 50), (30, 60, 140), (190, 80, 60)
LAKE = (40, 60, 120, 150)  # left, top, right, bottom in pixels
HOUSE = (180, 30, 220, 62)
SECOND = (180, 180, 230, 240)


def paint(*shapes):
    image = np.empty((256, 256, 3), np.uint8)
    image[:] = GRASS
    for (left, top, right, bottom), colour in shapes:
        image[top:bottom, left:right] = colour
    return image


@pytest.fixture
def scene(tmp_path):
    """A flat picture on the map, and what is in it."""
    image = paint((LAKE, WATER), (HOUSE, ROOF), (SECOND, WATER))
    path = tmp_path / "scene.tif"
    x, y = GRID.transform @ (0, 0)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=3,
        height=256,
        width=256,
        dtype="uint8",
        crs="EPSG:3857",
        transform=from_origin(x, y, GRID.resolution, GRID.resolution),
    ) as dataset:
        dataset.write(image.transpose(2, 0, 1))
    return types.SimpleNamespace(
        path=path, grid=GRID, lake=LAKE, house=HOUSE, second=SECOND, image=image
    )


@pytest.fixture
def services(scene, tiny_model_dir, tmp_path):
    from samgis_process.server.wiring import build_services
    from samgis_process.settings import parse

    section = {
        "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
        "cache": {"directory": str(tmp_path / "cache")},
        "default_source": "scene",
        "sources": {"scene": {"type": "raster", "path": str(scene.path), "aliases": ["Old.Name"]}},
    }
    return build_services(parse(section, tmp_path))


@pytest.fixture
def segment(services):
    """Run `segment` and return its answer."""
    from samgis_process.ogc.process import Context

    def run(inputs):
        return services.processes["segment"].run(inputs, Context("a-request"))["features"].value

    return run
