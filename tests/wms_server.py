"""A real little WMS 1.1.1 and WMTS 1.0.0 on 127.0.0.1 that draw a raster, and keep a log."""

import io
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import numpy as np
import rasterio
from PIL import Image
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT

HALF = 20037508.342789244  # metres, half the side of the Web Mercator square
TILE = re.compile(r"/wmts/(\d+)/(\d+)/(\d+)\.png")
WMS = """<?xml version="1.0"?>
<WMT_MS_Capabilities version="1.1.1"><Service><Name>OGC:WMS</Name></Service><Capability><Request>
<GetMap><Format>image/png</Format><DCPType><HTTP><Get>
<OnlineResource xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="{url}/wms?"/>
</Get></HTTP></DCPType></GetMap></Request>
<Layer><Layer queryable="0"><Name>picture</Name><Title>picture</Title><SRS>EPSG:3857</SRS>
<BoundingBox SRS="EPSG:3857" minx="{0}" miny="{1}" maxx="{2}" maxy="{3}"/></Layer></Layer>
</Capability></WMT_MS_Capabilities>"""
WMTS = """<?xml version="1.0"?>
<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1"
 xmlns:xlink="http://www.w3.org/1999/xlink" version="1.0.0"><Contents>
<Layer><ows:Title>picture</ows:Title><ows:Identifier>picture</ows:Identifier>
<ows:BoundingBox crs="urn:ogc:def:crs:EPSG::3857"><ows:LowerCorner>{0} {1}</ows:LowerCorner>
<ows:UpperCorner>{2} {3}</ows:UpperCorner></ows:BoundingBox>
<Style isDefault="true"><ows:Identifier>default</ows:Identifier></Style>
<Format>image/png</Format><TileMatrixSetLink><TileMatrixSet>web</TileMatrixSet></TileMatrixSetLink>
<ResourceURL format="image/png" resourceType="tile"
 template="{url}/wmts/{{TileMatrix}}/{{TileRow}}/{{TileCol}}.png"/></Layer>
<TileMatrixSet><ows:Identifier>web</ows:Identifier>
<ows:SupportedCRS>urn:ogc:def:crs:EPSG::3857</ows:SupportedCRS>{matrices}</TileMatrixSet>
</Contents></Capabilities>"""
MATRIX = """<TileMatrix><ows:Identifier>{z}</ows:Identifier>
<ScaleDenominator>{scale!r}</ScaleDenominator>
<TopLeftCorner>-{half} {half}</TopLeftCorner><TileWidth>256</TileWidth><TileHeight>256</TileHeight>
<MatrixWidth>{count}</MatrixWidth><MatrixHeight>{count}</MatrixHeight></TileMatrix>"""


class WmsServer:
    """Draw the raster at `path`, which is in EPSG:3857.

    Attributes:
        log: the path of every request, in order.
        fail: the status of every answer, while it is set.
    """

    def __init__(self, path):
        self.log = []
        self.fail = None
        self._path = path
        with rasterio.open(path) as dataset:
            self._edges = [repr(edge) for edge in dataset.bounds]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.log.append(self.path)
                if outer.fail:
                    status, kind, body = outer.fail, "text/plain", b"out of order"
                else:
                    status, (kind, body) = 200, outer.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def answer(self, path):
        """Return (content type, bytes)."""
        query = {key.lower(): value[0] for key, value in parse_qs(urlparse(path).query).items()}
        if tile := TILE.match(path):
            z, y, x = map(int, tile.groups())
            side = 2 * HALF / 2**z
            west, north = x * side - HALF, HALF - y * side
            return "image/png", self._draw((west, north - side, west + side, north), 256, 256)
        if path.startswith("/wmts"):
            return "text/xml", self._wmts().encode()
        if query.get("request", "").lower() == "getmap":
            edges = [float(edge) for edge in query["bbox"].split(",")]
            size = int(query["width"]), int(query["height"])
            return "image/png", self._draw(edges, *size)
        return "text/xml", WMS.format(*self._edges, url=self.url).encode()

    def _wmts(self):
        scales = [559082264.0287178 / 2**z for z in range(18)]
        matrices = [
            MATRIX.format(z=z, scale=scale, half=HALF, count=2**z)
            for z, scale in enumerate(scales)
        ]
        return WMTS.format(*self._edges, url=self.url, matrices="".join(matrices))

    def _draw(self, edges, width, height):
        placed = from_bounds(*edges, width, height)
        with (
            rasterio.open(self._path) as dataset,
            WarpedVRT(
                dataset, transform=placed, width=width, height=height, add_alpha=True
            ) as vrt,
        ):
            image = np.moveaxis(vrt.read([1, 2, 3, 4]), 0, -1)
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        return buffer.getvalue()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
