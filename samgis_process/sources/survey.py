"""What is learned of a GDAL dataset once: where it lies, how fine it is, what its bands are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags

from samgis_process.rendering import Bands, Span
from samgis_process.settings import ConfigurationError
from samgis_process.sources.cells import Meaning
from samgis_process.sources.place import Place, place_of, spelled

COLOURS = ("red", "green", "blue")
# Descriptions of bands that mean one colour in every product; B4 is red here, infrared there.
_NAMES = {
    "red": re.compile(r"red|b04", re.IGNORECASE),
    "green": re.compile(r"green|b03", re.IGNORECASE),
    "blue": re.compile(r"blue|b02", re.IGNORECASE),
    "nir": re.compile(r"nir|nir08|near[ _-]?infra[ _-]?red|b08", re.IGNORECASE),
}
OVERVIEW_FILE = "OVERVIEW_FILE"  # the tag by which a file names its overviews
MOST_FILES = 1000  # of a dataset in pieces; more would make every request slow
MAX_VRT = 2**26  # bytes
_SOURCE = re.compile(r"<SourceFilename([^>]*)>([^<]+)</SourceFilename>")
LISTED = 8  # subdatasets named in a message


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What was learned.

    Attributes:
        files: those on this machine that the dataset is made of.
        place: where its cells lie.
        meaning: what its numbers mean.
        factors: of the overviews, the finest first.
        holds_colours: whether it is a picture to look at: a palette, or red, green and blue.
    """

    files: tuple[Path, ...]
    place: Place
    meaning: Meaning
    factors: tuple[int, ...]
    bands: Bands
    holds_colours: bool

    def holding(self, metres: float) -> Survey:
        """Return it with elevation in the first band, of so many metres a unit."""
        return replace(
            self,
            bands=replace(self.bands, metres=metres),
            meaning=replace(self.meaning, metres=metres),
        )


def survey(
    dataset: Any,
    source_id: str,
    roles: Mapping[str, int],
    nodata: float | None = None,
    crs: str | None = None,
) -> Survey:
    """Look at an open dataset.

    Args:
        roles: the bands that the operator calls red, green, blue or nir.
        nodata: what means nothing, whatever the dataset says.
        crs: where it lies, whatever the dataset says.

    Raises:
        ConfigurationError: it cannot be drawn on a map.
    """
    _require_numbers(dataset, source_id)
    # Those of a VRT are its author's, as its parts are; Erdas files keep theirs beside them.
    if OVERVIEW_FILE in dataset.tags(ns="OVERVIEWS") and dataset.driver not in {"VRT", "HFA"}:
        raise ConfigurationError(
            f"source {source_id} names overviews elsewhere; write it anew without them: "
            "gdal_translate -of COG IN OUT"
        )
    place = place_of(dataset, source_id, crs)
    meaning = _meaning(dataset, nodata)
    bands = Bands(surveyed=True)
    if meaning.colours is None:
        bands = _bands(dataset, source_id, roles, meaning)
    plain = [kind for kind in dataset.colorinterp if kind is not ColorInterp.alpha]
    colours = meaning.colours is not None or (
        len(plain) >= 3 and (dataset.dtypes[0] == "uint8" or plain[0] is ColorInterp.red)
    )
    return Survey(_files(dataset), place, meaning, tuple(dataset.overviews(1)), bands, colours)


def _require_numbers(dataset: Any, source_id: str) -> None:
    if dataset.count == 0:
        names = [spelled(name) for name in dataset.subdatasets[:LISTED]]
        more = " ..." if len(dataset.subdatasets) > LISTED else ""
        raise ConfigurationError(
            f"source {source_id} has no bands of its own; name one of its subdatasets: "
            f"{', '.join(names)}{more}"
        )
    if any("complex" in name or name == "cint16" for name in dataset.dtypes):
        raise ConfigurationError(
            f"source {source_id} holds complex numbers; make a raster of their amplitudes first"
        )


def _files(dataset: Any) -> tuple[Path, ...]:
    """Return all files, those that VRTs name and those behind VRTs inside of VRTs too."""
    found: dict[Path, None] = {}
    waiting = [Path(name) for name in dataset.files]
    while waiting and len(found) < MOST_FILES:
        path = waiting.pop(0)
        if path in found:
            continue
        if path.is_file():
            found[path] = None
            waiting += _members(path)
        elif path.is_absolute() and not str(path).startswith("/vsi"):
            found[path] = None  # what reads it shall say that it is not there
    return tuple(found)


def _members(path: Path) -> list[Path]:
    """Return the files beside a VRT that it names; GDAL lists only those that are there."""
    if path.suffix.lower() != ".vrt" or path.stat().st_size > MAX_VRT:
        return []
    members = []
    for how, name in _SOURCE.findall(path.read_text(encoding="utf-8", errors="replace")):
        text = unescape(name)
        if 'relativeToVRT="1"' in how:
            members.append((path.parent / text).resolve())
        elif text.startswith("/") and not text.startswith("/vsi"):
            members.append(Path(text))
    return members


def _meaning(dataset: Any, nodata: float | None) -> Meaning:
    alpha = [i for i, kind in enumerate(dataset.colorinterp, 1) if kind is ColorInterp.alpha]
    flags = dataset.mask_flag_enums
    if all(one == nodata for one in dataset.nodatavals):
        nodata = None  # what the file says anyway, its overviews know too
    return Meaning(
        scales=tuple(dataset.scales),
        offsets=tuple(dataset.offsets),
        nodata=nodata,
        alpha=alpha[0] if alpha else None,
        declared=any(MaskFlags.all_valid not in band for band in flags),
        apart=any(MaskFlags.per_dataset in band for band in flags),
        colours=_palette(dataset),
    )


def _palette(dataset: Any) -> NDArray[np.uint8] | None:
    if dataset.colorinterp[0] is not ColorInterp.palette or dataset.count != 1:
        return None
    entries = dataset.colormap(1)
    table = np.zeros((max(entries) + 1, 4), np.uint8)
    for value, rgba in entries.items():
        table[value] = rgba
    return table


def _bands(dataset: Any, source_id: str, roles: Mapping[str, int], meaning: Meaning) -> Bands:
    for name, number in roles.items():
        if not 1 <= number <= dataset.count:
            raise ConfigurationError(
                f"samgis.sources.{source_id}.band_roles.{name} is {number}, but the source has "
                f"{dataset.count} bands"
            )
    known = {**_described(dataset), **roles}
    plain = [i for i, kind in enumerate(dataset.colorinterp, 1) if kind is not ColorInterp.alpha]
    if all(name in known for name in COLOURS):
        natural = tuple(known[name] for name in COLOURS)
    else:
        natural = tuple(plain[:3]) if len(plain) >= 3 else tuple(plain[:1]) or (1,)
    # The fourth band of most imagery (NAIP, PlanetScope, SPOT) is infrared, unless it is alpha.
    nir = known.get("nir") or (4 if 4 in plain else None)
    spans = tuple(_span(dataset, index, meaning) for index in dataset.indexes)
    return Bands(spans, natural, nir, surveyed=True)


def _described(dataset: Any) -> dict[str, int]:
    """Return which bands the file itself calls red, green, blue and near infrared."""
    found: dict[str, int] = {}
    # Descriptions first: what writes a TIFF often calls its first three bands red, green, blue.
    for index, text in enumerate(dataset.descriptions, 1):
        for name, pattern in _NAMES.items():
            if text and pattern.fullmatch(text.strip()):
                found.setdefault(name, index)
    for index, kind in enumerate(dataset.colorinterp, 1):
        if kind.name in _NAMES and index not in found.values():
            found.setdefault(kind.name, index)
    return found


def _span(dataset: Any, index: int, meaning: Meaning) -> Span | None:
    """Return the range of a band whose dtype says it: bytes, and fewer bits than that."""
    if dataset.dtypes[index - 1] != "uint8":
        return None
    bits = int(dataset.tags(index, ns="IMAGE_STRUCTURE").get("NBITS", 8))
    ends = (meaning.scaled(value, index) for value in (0.0, float(2 ** min(bits, 8) - 1)))
    return Span(*sorted(ends))
