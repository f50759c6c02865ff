"""How outputs reach a client: in the answer, or by reference to where they lie."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from samgis_process.ogc.negotiation import is_json, parse
from samgis_process.ogc.process import Context, Output

Shape = Literal["raw", "document"]
Mode = Literal["value", "reference"]
Preferred = Literal["minimal", "representation"]
MINIMAL_BYTES = 4096  # longer values go by reference where a client prefers return=minimal
_SUFFIXES = {
    "application/flatgeobuf": ".fgb",
    "application/geo+json": ".geojson",
    "application/gml+xml": ".gml",
    "application/geopackage+sqlite3": ".gpkg",
    "application/json": ".json",
    "application/octet-stream": "",
    "application/vnd.apache.parquet": ".parquet",
    "image/jpeg": ".jpg",
    "image/jp2": ".jp2",
    "image/png": ".png",
    "image/tiff": ".tif",
    "text/plain": ".txt",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """An output that lies elsewhere.

    Attributes:
        expires: until when it lies there, if that is known.
    """

    media_type: str
    href: str
    expires: datetime | None = None

    def link(self) -> dict[str, str]:
        """Return the link that stands for the output in a document."""
        until = {"expires": rfc3339(self.expires)} if self.expires else {}
        return {"href": self.href, "type": self.media_type, **until}

    def header(self, name: str) -> str:
        """Return the value of the header `Link` that stands for the output `name`."""
        until = f'; expires="{rfc3339(self.expires)}"' if self.expires else ""
        quoted = self.media_type.replace('"', r"\"")
        # The relation is the output's own name: that is how other servers' clients find it.
        return f'<{self.href}>; rel="{name}"; title="{name}"; type="{quoted}"{until}'


# Takes outputs and what is known of their run, and says where they lie from now on.
Keep = Callable[[Mapping[str, Output], Context], Mapping[str, Reference]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a client wants of the answer.

    Attributes:
        shape: `raw` or `document`; None where the client did not say.
        modes: the transmission of those outputs for which the client said it.
        preferred: the preference `return`, where it is one that we know.
        several: whether more than one output was requested, however many there will be.
    """

    shape: Shape | None = None
    modes: Mapping[str, Mode] = field(default_factory=dict)
    preferred: Preferred | None = None
    several: bool = False

    def preferring(self, preferred: Preferred | None, transmission: Collection[str]) -> Delivery:
        """Return it with a preference, unless that wants references where there are none."""
        in_vain = preferred == "minimal" and "reference" not in transmission
        return replace(self, preferred=None if in_vain else preferred)

    def by_reference(self, name: str, size: int) -> bool:
        """Return whether an output of `size` bytes goes by reference."""
        mode = self.modes.get(name)
        if mode is None:
            return self.preferred == "minimal" and size > MINIMAL_BYTES
        return mode == "reference"

    def applied(self, delivered: Mapping[str, Output | Reference]) -> str | None:
        """Return the preference that the answer honours, as `Preference-Applied` names it."""
        referred = [name for name, one in delivered.items() if isinstance(one, Reference)]
        if self.preferred == "minimal" and any(name not in self.modes for name in referred):
            return "return=minimal"
        if self.preferred == "representation" and delivered and not referred:
            return "return=representation"
        return None

    def stored(self) -> dict[str, Any]:
        """Return it as JSON, to be kept with a job."""
        return {
            "response": self.shape,
            "several": self.several,
            "transmission": dict(self.modes),
            "return": self.preferred,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Delivery:
        """Return what `stored` made JSON of."""
        return cls(
            stored.get("response"),
            stored.get("transmission") or {},
            stored.get("return"),
            bool(stored.get("several")),
        )


def rfc3339(moment: datetime) -> str:
    """Return a moment to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def suffix(media_type: str) -> str:
    """Return the usual end of the name of a file of this type, with its dot."""
    name = parse(media_type).name
    if name in _SUFFIXES:
        return _SUFFIXES[name]
    return mimetypes.guess_extension(name) or (".json" if is_json(name) else "")
