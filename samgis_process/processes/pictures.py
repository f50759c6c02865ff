"""The input `image`: a picture in the request, or the digest of one that was sent before."""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from samgis_process.embeddings import BlobStore
from samgis_process.errors import Fault, InvalidInput, PictureGone
from samgis_process.grid import Bounds
from samgis_process.processes.windows import parse_bounds
from samgis_process.settings import LimitSettings
from samgis_process.sources.base import SourceInfo
from samgis_process.sources.inline import ID, ImageSource, digest_of, kind_of
from samgis_process.sources.stretched import StretchedSource
from samgis_process.turns import Room, aside

DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
REMEMBERED = 64 * 2**20  # bytes of the files of pictures kept open
NOWHERE = SourceInfo(ID, ID, "", (0, 0), 0)  # a picture without a place has no crs of its own


class Pictures:
    """Pictures by their digest, on disk; those used last are open."""

    def __init__(self, store: BlobStore, limits: LimitSettings) -> None:
        self._store = store
        self._limits = limits
        self._room = Room(limits.max_decoded_bytes, limits.encode_wait_s)
        self._open: OrderedDict[tuple[str, Bounds | None], ImageSource] = OrderedDict()
        self._lock = threading.Lock()

    def source(self, inputs: Mapping[str, Any]) -> ImageSource | None:
        """Return the picture that a request brings or names, or None.

        Raises:
            InvalidInput: it cannot be used, or a source is named besides.
            PictureGone: its digest is not known (any more).
        """
        value = inputs.get("image")
        if value is None:
            return None
        for other in ("source", "source_type"):
            if inputs.get(other) is not None:
                raise InvalidInput(
                    ID, f"and {other} are both given", remedy="give one of them: which picture?"
                )
        if isinstance(value, Mapping):
            return self._known(value, inputs.get("bbox"))
        data = decoded(value, self._limits.max_image_bytes)
        return self._opened(digest_of(data), data, inputs.get("bbox"))

    def keep(self, source: ImageSource) -> None:
        """Keep a picture that could be read, so that its digest stands for it."""
        key = _key(source.digest)
        if self._store.get(key) is None:  # reading it also says that it is in use
            self._store.put(key, {"kind": "picture"}, source.data)

    def _known(self, value: Mapping[str, Any], bbox: Any) -> ImageSource:
        digest = str(value.get("digest"))
        key = DIGEST.fullmatch(digest)
        if key is None:
            raise InvalidInput(
                "image.digest", f"{digest[:80]!r} is no digest", limit="sha256: and 64 digits"
            )
        # On disk or not is what decides, or every process of a server would say otherwise.
        blob = self._store.get(key[1])
        if blob is None:
            raise PictureGone(
                Fault(
                    "image.digest",
                    "stands for a picture that is not kept here (any more)",
                    remedy="send the picture itself again",
                )
            )
        return self._opened(digest, bytes(blob.payload), value.get("bounds") or bbox)

    def _opened(self, digest: str, data: bytes, place: Any) -> ImageSource:
        kind = kind_of(data)
        bounds = None if kind == "tiff" else _bounds(place, kind)
        with self._lock:
            found = self._open.pop((digest, bounds), None)
        if found is None:  # it may have to wait until others are decoded
            with aside(ID):
                found = self._build(data, digest, bounds)
        with self._lock:
            self._open[digest, bounds] = found
            while len(self._open) > 1 and self._bytes() > REMEMBERED:
                self._open.popitem(last=False)
        return found

    def _bytes(self) -> int:
        return sum(len(source.data) for source in self._open.values())

    def _build(self, data: bytes, digest: str, bounds: Bounds | None) -> ImageSource:
        most = self._limits.max_image_pixels
        if bounds is None:
            return ImageSource(data, digest, most, self._room)
        return StretchedSource(data, digest, bounds, most, self._room)


def _key(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _bounds(place: Any, kind: str) -> Bounds:
    if place is None:
        raise InvalidInput(
            "bbox",
            "is missing",
            limit=f"the bounds of the picture: a {kind.upper()} does not say where it lies",
            remedy="add bbox, or send a GeoTIFF",
        )
    return parse_bounds(place, NOWHERE)


def decoded(value: str, max_bytes: int) -> bytes:
    """Return the bytes of a base64 string.

    Raises:
        InvalidInput: it is none, or holds too much.
    """
    text = "".join(value.split())
    if len(text) * 3 // 4 > max_bytes + 2:
        raise _too_large(len(text) * 3 // 4, max_bytes)
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(
            ID, "is no base64", limit="the picture's bytes in base64 (RFC 4648, section 4)"
        ) from error
    if len(data) > max_bytes:
        raise _too_large(len(data), max_bytes)
    return data


def _too_large(size: int, most: int) -> InvalidInput:
    return InvalidInput(
        ID,
        f"is {size} bytes",
        limit=f"{most} bytes (limits.max_image_bytes)",
        remedy="send a part of it, or compress it",
    )
