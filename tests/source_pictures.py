"""Draw one picture for each kind of source and rendering, to be looked at.

`python tests/source_pictures.py` writes build/pictures/sources/*.png from the reference data.
"""

import sys
import tempfile
from pathlib import Path

import rasterio
import rasterio.shutil
from conftest import ROOT, TEST_DATA, load_script
from PIL import Image
from rasterio.vrt import WarpedVRT

from samgis_process.grid import GeoBox
from samgis_process.rendering import echo, parse
from samgis_process.sources import SourceInfo, picture
from samgis_process.sources.raster import GdalOptions, RasterSource

OUT = ROOT / "build" / "pictures" / "sources"
LONG_SIDE = 700  # pixels
S2, NAIP = "sentinel2_8band_uint16_utm33", "naip_rgbn_utm14_5m"
RENDERINGS = (
    (S2, "rgb"),
    (S2, "grey"),
    (S2, "false-colour"),
    (S2, {"bands": [{"nd": [4, 1]}]}),
    (S2, {"bands": [3, 2, 1], "stretch": "minmax"}),
    (S2, {"bands": [4, {"nd": [4, 1]}, {"nd": [2, 4]}], "stretch": [2, 98]}),
    (NAIP, "rgb"),
    (NAIP, "false-colour"),
    (NAIP, {"bands": [{"nd": [2, 4]}]}),
    (NAIP, {"stretch": [2, 98]}),
    ("rgba_uint16_utm12", "rgb"),
    ("float32_utm10_nan_nodata", "rgb"),
    ("cog_dateline_utm60", "rgb"),
    ("zurich_ortho_2056_50cm", {"stretch": [[40, 200]]}),
    ("pix4d_rgba_utm50s_35cm", "rgb"),
    ("orthophoto_rgb_utm13_mask_15cm", "rgb"),
    ("sentinel2_tci_utm34_100m", "rgb"),
    ("world_rgb_4326", "rgb"),
    ("landsat_rgb_utm18_nodata0", "grey"),
    ("rgb_3857_webp", "rgb"),
)


def draw(name, source, rendering=None):
    """Draw the whole of a source, small enough to be looked at."""
    info: SourceInfo = source.info
    wanted = parse(rendering, info.bands, info.id)
    zoom = min(info.native_zoom, info.zooms[1])
    while max(GeoBox.around(info.bounds, zoom).shape) > LONG_SIDE and zoom > info.zooms[0]:
        zoom -= 1
    drawn = picture(source, GeoBox.around(info.bounds, zoom), wanted)
    OUT.mkdir(parents=True, exist_ok=True)
    Image.fromarray(drawn.image).save(OUT / f"{name}.png")
    print(f"{name}: {drawn.image.shape}, zoom {zoom}, {echo(wanted, info.bands, info.id)}")


def files():
    """Draw the rasters of the reference data."""
    for number, (name, rendering) in enumerate(RENDERINGS):
        source = RasterSource.open(name, TEST_DATA / "georaster" / f"{name}.tif")
        draw(f"{number:02} {name}", source, rendering)


def containers(directory):
    """Draw the Zurich orthophoto as COG on the web, MBTiles, VRT, WMS and WMTS."""
    origin = TEST_DATA / "georaster" / "zurich_ortho_2056_50cm.tif"
    flat, tiles, cog = (directory / name for name in ("flat.tif", "a.mbtiles", "cog.tif"))
    with rasterio.open(origin) as dataset, WarpedVRT(dataset, crs="EPSG:3857") as vrt:
        rasterio.shutil.copy(vrt, str(flat), driver="GTiff")
        rasterio.shutil.copy(vrt, str(tiles), driver="MBTiles")
        rasterio.shutil.copy(vrt, str(cog), driver="COG", compress="JPEG")
        rasterio.shutil.copy(vrt, str(directory / "a.vrt"), driver="VRT")
    draw("30 mbtiles", RasterSource.open("mbtiles", tiles))
    draw("31 vrt", RasterSource.open("vrt", directory / "a.vrt"))
    with load_script("range_server").RangeServer(directory) as web:
        draw("32 cog on the web", RasterSource.open("cog", f"{web.url}/cog.tif"))
    with load_script("wms_server").WmsServer(flat) as maps:
        edges = ",".join(maps._edges)
        wms = (
            f"WMS:{maps.url}/wms?SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&LAYERS=picture"
            f"&SRS=EPSG:3857&BBOX={edges}&FORMAT=image/png"
        )
        finest = GdalOptions(max_zoom=17)
        draw("33 wms", RasterSource.open("wms", wms, finest))
        wmts = f"WMTS:{maps.url}/wmts,layer=picture"
        draw("34 wmts", RasterSource.open("wmts", wmts, finest))
        draw("35 wmts grey", RasterSource.open("wmts", wmts, finest), "grey")


def main():
    """Draw them all."""
    files()
    with tempfile.TemporaryDirectory() as directory:
        containers(Path(directory))


if __name__ == "__main__":
    sys.exit(main())
