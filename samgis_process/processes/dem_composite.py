"""`dem-composite`: a window of elevation becomes an RGB composite and layers of the terrain."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from samgis_process.formats import COG, Asset, BandFacts, cog, preview, statistics_of
from samgis_process.formats.preview import Caption
from samgis_process.processes.clock import Clock
from samgis_process.processes.dem_composite_description import GEOJSON, PNG, describe
from samgis_process.processes.dem_composite_item import caption, item_of, member
from samgis_process.processes.dem_composite_request import DemCompositeRequest
from samgis_process.processes.pictures import Pictures
from samgis_process.rendering import TERRAIN, paint
from samgis_process.results import File, ResultStore
from samgis_process.settings import LimitSettings
from samgis_process.sources import SourceCatalogue
from samgis_process.sources.elevation import Relief, read_relief
from samgis_process.sources.inline import ImageSource
from samgis_process.sources.progress import told
from samgis_process.terrain import LAYERS, compute, halo_of
from samgis_process.turns import aside, one_of_few

COMPOSITE, PREVIEW, ITEM = "composite.tif", "preview.png", "item.json"
COLOURS = ("red", "green", "blue")
_READING = "reading the elevation"
_LAYERS = "layers of terrain"  # minutes of them, at most; clicks shall not wait
_DRAWING = 0.3  # share of the work that is done when all is read
STEPS = ("elevation", "composite", "layers", "files")
CIRCULAR = {"aspect"}  # 359 and 1 are neighbours: their mean is no direction

Report = Callable[[float, str], None]


class Context(Protocol):
    """What a run is told and may tell."""

    @property
    def request_id(self) -> str:
        """Names the request in answers and logs."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """The media type wanted of each output."""

    @property
    def owner(self) -> str:
        """Whose request it is."""

    @property
    def attempt(self) -> str:
        """The try of a job, if it is one."""

    def report(self, fraction: float, message: str) -> None:
        """Say how far the work is, 0 to 1."""

    @property
    def base_url(self) -> str:
        """The server's address; empty where it has none that serves files."""

    def link(self, path: str) -> str:
        """Return the address of a path of this server."""


class Made(NamedTuple):
    """A file, and what an item says of it."""

    name: str
    content: bytes
    asset: Asset


class DemCompositeProcess:
    """The process and what it works with."""

    def __init__(
        self,
        sources: SourceCatalogue,
        limits: LimitSettings,
        pictures: Pictures,
        results: ResultStore,
    ) -> None:
        self._sources = sources
        self._limits = limits
        self._pictures = pictures
        self._results = results
        self.description = describe(sources)

    def run(self, inputs: Mapping[str, Any], context: Context) -> tuple[str, Any]:
        """Return the media type and the value of the output `features`.

        Raises:
            InvalidRequest: the inputs cannot be used.
            SourceUnavailable: the elevation cannot be had.
            NoRoom: there is no room for the files.
        """
        wanted = context.outputs.get("features", GEOJSON)
        work = self.begin(inputs, context.report, layers=wanted == GEOJSON)
        if wanted == PNG:
            return PNG, work.preview()
        if wanted == COG:
            return COG, work.composite().content
        return GEOJSON, self._linked(work, context)

    def begin(
        self, inputs: Mapping[str, Any], report: Report, *, layers: bool = True
    ) -> Composition:
        """Return what was asked for, its elevation read.

        Args:
            layers: whether they are wanted, or the composite alone.

        Raises:
            InvalidRequest: the inputs cannot be used.
            SourceUnavailable: the elevation cannot be had.
        """
        request = DemCompositeRequest.from_inputs(
            inputs, self._sources, self._limits, self._pictures
        )
        work = Composition(request, report, layers=layers)
        if isinstance(request.source, ImageSource):
            self._pictures.keep(request.source)
        return work

    def _linked(self, work: Composition, context: Context) -> dict[str, Any]:
        """Return the collection whose item links the files, which are kept.

        Where nobody can ask for them, as under stock pygeoapi, the item has no assets.
        """
        item = self._kept(work, context) if context.base_url else work.item(str(uuid.uuid4()), [])
        return {
            "type": "FeatureCollection",
            "features": [item],
            "samgis": {"request_id": context.request_id} | work.member(),
        }

    def _kept(self, work: Composition, context: Context) -> dict[str, Any]:
        ticket = self._results.ticket(context.owner, context.attempt)

        def href(name: str) -> str:
            return context.link(f"/results/{ticket.id}/{name}")

        made = list(work.files(href))
        item = work.item(ticket.id, made) | {
            "links": [{"rel": "self", "href": href(ITEM), "type": GEOJSON}]
        }
        item["properties"]["samgis:expires"] = ticket.expires.strftime("%Y-%m-%dT%H:%M:%SZ")
        files = {one.name: File(one.asset.media_type, one.content) for one in made}
        with work.clock.step("files"):
            self._results.keep(ticket, files | {ITEM: File(GEOJSON, orjson.dumps(item))})
        return item


class Composition:
    """One request under way; files are made when they are asked for."""

    def __init__(self, request: DemCompositeRequest, report: Report, *, layers: bool) -> None:
        self.request = request
        self.clock = Clock(spent=dict.fromkeys(STEPS, 0.0))
        self._report = report
        self._layers = ("elevation", *request.layers) if layers else ()
        report(0.0, _READING)
        with self.clock.step("elevation"):
            self.relief = self._read()

    def _read(self) -> Relief:
        request = self.request
        smallest = request.grid.resolution * _narrowest(request)
        halo = halo_of(self._layers, request.options, smallest)
        source = request.source.info.id
        with told(self._tell_tiles), aside(source), one_of_few(source):
            return read_relief(request.source, request.grid, max(halo, request.rendering.halo))

    def _tell_tiles(self, there: int, total: int) -> None:
        self._report(_DRAWING * there / total, f"{_READING}: tile {there} of {total}")

    @cached_property
    def image(self) -> NDArray[np.uint8]:
        """The composite, (rows, cols, 3)."""
        self._report(_DRAWING, "drawing the composite")
        with self.clock.step("composite"):
            return paint(self.request.rendering, self.relief.surface, self.relief.halo)

    def files(self, href: Callable[[str], str]) -> Iterator[Made]:
        """Yield every file; `href` says where one of a name will be."""
        yield self.composite(href)
        for number, name in enumerate(self._layers):
            self._report(0.4 + 0.5 * number / len(self._layers), f"computing {name}")
            yield self._layer(name, href)
        self._report(0.9, "writing the files")
        title = "Preview with legend"
        asset = Asset("preview", href(PREVIEW), PNG, title, ("overview", "thumbnail"))
        yield Made(PREVIEW, self.preview(), asset)

    def composite(self, href: Callable[[str], str] = str) -> Made:
        """Return the COG of the composite."""
        bands, style = self._bands(), TERRAIN[self.request.rendering.name]
        pixels = np.ascontiguousarray(self.image.transpose(2, 0, 1))
        with self.clock.step("files"):
            content = cog(pixels, bands, self.request.grid, self.relief.valid)
        roles = ("data", "visual")
        asset = Asset("composite", href(COMPOSITE), COG, style.title, roles, bands, "uint8")
        return Made(COMPOSITE, content, asset)

    def _bands(self) -> list[BandFacts]:
        legends = TERRAIN[self.request.rendering.name].channels
        titles: dict[str, str] = {one.colour: one.title for one in legends}
        return [
            BandFacts(
                colour,
                titles.get(colour, f"{colour} of: {titles.get('tint', 'the picture')}"),
                "",
                statistics_of(self.image[..., index], self.relief.valid),
            )
            for index, colour in enumerate(COLOURS)
        ]

    def _layer(self, name: str, href: Callable[[str], str]) -> Made:
        layer, file = LAYERS[name], f"{name}.tif"
        with aside(_LAYERS), one_of_few(_LAYERS, 1), self.clock.step("layers"):
            values = compute(self.relief.surface, name, self.request.options, self.relief.halo)
        with self.clock.step("files"):
            known = statistics_of(values, np.isfinite(values))
            bands = [BandFacts(name, layer.title, layer.unit, known)]
            circular = name in CIRCULAR
            content = cog(values[None], bands, self.request.grid, directions=circular)
        words = f"{layer.formula}. {layer.source}".strip().removesuffix(".")
        roles = ("data",)
        return Made(
            file,
            content,
            Asset(name, href(file), COG, layer.title, roles, bands, "float32", "nan", words),
        )

    def preview(self) -> bytes:
        """Return the PNG of the composite with its legend."""
        request, image = self.request, self.image
        words: Caption = caption(request)
        channels = TERRAIN[request.rendering.name].channels
        with self.clock.step("files"):
            return preview(
                image, self.relief.valid, channels, words, request.grid.ground_resolution
            )

    def item(self, item_id: str, made: list[Made]) -> dict[str, Any]:
        """Return the STAC item of the files."""
        now = datetime.now(UTC)
        return item_of(item_id, self.request, [one.asset for one in made], now)

    def member(self) -> dict[str, Any]:
        """Return where the answer came from."""
        return member(self.request, self.clock.timings_ms(), self.relief.warnings)


def _narrowest(request: DemCompositeRequest) -> float:
    """Return the least part of an EPSG:3857 metre that is one on the ground, in the window."""
    bounds = request.grid.bounds
    return float(np.cos(np.radians(max(abs(bounds.south), abs(bounds.north)))))
