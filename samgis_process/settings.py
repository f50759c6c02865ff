"""Typed settings: the section `samgis:` of pygeoapi's configuration, and the environment.

Any value can be overridden by `SAMGIS_SECTION__KEY` (`SAMGIS_LIMITS__MAX_PROMPTS=50`).
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from samgis_process.errors import SamgisError

# Names that stand for one setting each; the first part of every other name is a section.
SHORT_NAMES = {
    "SAMGIS_PUBLIC_URL": ("server", "public_url"),
    "SAMGIS_CACHE_DIR": ("cache", "directory"),
    "SAMGIS_DATA_DIR": ("results", "directory"),
    "SAMGIS_MODELS_DIR": ("models", "directory"),
}


class ConfigurationError(SamgisError):
    """The configuration cannot be used; the message names the setting and what it wants."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(_Section):
    """Where and for whom the server answers."""

    public_url: str | None = Field(None, description="Address of the server in links.")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Host headers accepted besides the loopback names and the public URL's."
    )
    log: Literal["text", "json"] = Field(
        "text", description="Lines of the log: for people, or a JSON object each."
    )
    echo_s: float | None = Field(
        None,
        ge=0,
        description="Offers the process `echo`, which conformance suites call, and says how many "
        "seconds it takes; by default it is not offered.",
    )


class KeySettings(_Section):
    """One API key."""

    name: str = Field(
        ...,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$",
        description="Whose it is; jobs and results belong to this name.",
    )
    sha256: str = Field(
        ...,
        pattern=r"^[0-9a-f]{64}$",
        description="The key's SHA-256, which `samgis-process keys new` prints; never the key.",
    )
    operator: bool = Field(default=False, description="Whether it may read `/metrics`.")


class AccessSettings(_Section):
    """Who may use the server, and how much; by default everybody who reaches it, without limit."""

    keys: tuple[KeySettings, ...] = Field(
        (), description="API keys, each with `name`, `sha256` and `operator`."
    )
    user_header: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]+$",
        description="Header in which a proxy names the user whom it has signed in; believed from "
        "`proxies` alone.",
    )
    proxies: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="Addresses or networks of the proxies before this server, whose forwarded "
        "headers are believed.",
    )
    forwarded: Literal["x-forwarded", "forwarded"] = Field(
        "x-forwarded",
        description="Which headers the proxies set: `X-Forwarded-For`, `-Proto` and `-Host`, or "
        "`Forwarded` (RFC 7239). The others are ignored.",
    )
    everything: bool = Field(
        default=False,
        description="Whether the landing page, the conformance page, the OpenAPI document and the "
        "processes are closed too.",
    )
    requests_per_minute: PositiveFloat | None = Field(
        None, description="Requests a minute of a key or user, or of an address without one."
    )
    burst: PositiveInt = Field(60, description="Requests that may come at once, after a pause.")
    executions_per_minute: PositiveFloat | None = Field(
        None, description="Executions a minute, likewise."
    )
    executions_burst: PositiveInt = Field(
        10, description="Executions that may come at once, after a pause."
    )

    @property
    def is_closed(self) -> bool:
        """Return whether clients must say who they are."""
        return bool(self.keys or self.user_header)

    @model_validator(mode="after")
    def _has_proxies(self) -> AccessSettings:
        if self.user_header and not self.proxies:
            raise ValueError("user_header is believed from `proxies` alone, and there are none")
        return self


class LimitSettings(_Section):
    """What one request may ask for."""

    max_pixels: PositiveInt = Field(2048 * 2048, description="Source pixels in one window.")
    max_prompts: PositiveInt = Field(1000, description="Prompts in one request.")
    max_body_bytes: PositiveInt = Field(
        48 * 2**20,
        description="Bytes of a request's body; a picture in it takes 4/3 of its own bytes.",
    )
    max_image_bytes: PositiveInt = Field(
        32 * 2**20, description="Bytes of a picture in a request, decoded from base64."
    )
    max_image_pixels: PositiveInt = Field(
        64 * 10**6, description="Pixels of a picture in a request, by its header."
    )
    sync_workers: PositiveInt = Field(
        16, description="Requests under way at the same time; most of them wait for pixels."
    )
    sync_queue: PositiveInt = Field(32, description="Requests that may wait for a worker.")
    encode_wait_s: PositiveFloat = Field(
        120, description="Seconds to wait for another request that encodes the same window."
    )


class ModelSettings(_Section):
    """Which model answers, and where the built files lie."""

    default: str = Field("mobile-sam-maps", description="The model of the catalogue that answers.")
    directory: Path = Field(Path("models"), description="Directory of the built models.")
    threads: int = Field(
        0, ge=0, description="Threads of one model run; 0 takes one for each core."
    )
    provider: Literal["cpu", "cuda"] = Field(
        "cpu", description="What runs the models; onnxruntime must have been built with it."
    )


class CacheSettings(_Section):
    """What is kept on disk."""

    directory: Path = Field(
        default_factory=lambda: platformdirs.user_cache_path("samgis-process", appauthor=False),
        description="Directory of embeddings, earlier answers, tiles and the sample scene.",
    )
    max_bytes: PositiveInt = Field(
        4 * 2**30, description="Bytes of embeddings kept; the least recently used go first."
    )
    max_prefix_bytes: PositiveInt = Field(
        512 * 2**20, description="Bytes of earlier prompts' logits kept, likewise."
    )
    max_picture_bytes: PositiveInt = Field(
        2**30, description="Bytes of pictures that came in requests kept, likewise."
    )
    max_tile_bytes: PositiveInt = Field(2**30, description="Bytes of map tiles kept, likewise.")


class ResultSettings(_Section):
    """Files that answers link to."""

    directory: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("samgis-process", appauthor=False),
        description="Directory of data; results lie in `results` below it.",
    )
    keep_s: PositiveFloat = Field(24 * 3600, description="Seconds for which a result is kept.")
    max_bytes: PositiveInt = Field(
        10 * 2**30, description="Bytes of results kept; the oldest go first."
    )


class HrefSettings(_Section):
    """Inputs that a request only refers to (`href`); off unless hosts are named.

    A host is a `name`, or `name:port` where the port is not the usual one.
    """

    hosts: tuple[str, ...] = Field((), description="Hosts from which inputs may be fetched.")
    private_hosts: tuple[str, ...] = Field(
        (), description="Further ones, which may have addresses that are not public."
    )
    max_bytes: PositiveInt = Field(32 * 2**20, description="Bytes fetched for one request.")
    timeout_s: PositiveFloat = Field(20, description="Seconds for all that one request refers to.")
    max_values: PositiveInt = Field(10, description="Values that one request may refer to.")
    workers: PositiveInt = Field(
        4, description="Requests whose inputs are fetched at the same time; more are refused."
    )


class CallbackSettings(_Section):
    """Calls to whoever subscribed to a job; hosts are named as in `href`."""

    enabled: bool = Field(default=True, description="Whether anybody is called.")
    hosts: tuple[str, ...] = Field(
        (), description="The only hosts that may be called; by default all that are public."
    )
    private_hosts: tuple[str, ...] = Field(
        (), description="Further ones, which may have addresses that are not public."
    )
    timeout_s: PositiveFloat = Field(10, description="Seconds that a call may take.")
    tries: PositiveInt = Field(4, description="How often a call is tried at the end of a job.")
    backoff_s: PositiveFloat = Field(
        2, description="Seconds before the second try; twice as many before each further one."
    )
    progress_s: PositiveFloat = Field(5, description="Least seconds between calls on progress.")
    workers: PositiveInt = Field(4, description="Calls at the same time.")
    queue: PositiveInt = Field(1000, description="Calls that may wait; more are dropped.")


class JobSettings(_Section):
    """Work that is not waited for; its outputs lie in `jobs` below the directory of data."""

    url: str | None = Field(
        None,
        description="The database of jobs, as in `postgresql+psycopg://user@host/name`; "
        "by default the file `jobs.sqlite` in the directory of data.",
    )
    workers: PositiveInt = Field(
        1, description="Worker processes of this server; each opens the models of its own."
    )
    queue: PositiveInt = Field(100, description="Jobs that may wait for a worker.")
    keep_s: PositiveFloat = Field(
        24 * 3600, description="Seconds for which a job and its outputs are kept after its end."
    )
    max_bytes: PositiveInt = Field(
        10 * 2**30, description="Bytes of outputs kept; the oldest go first."
    )
    time_limit_s: PositiveFloat = Field(3600, description="Seconds that a job may take.")
    max_wait_s: PositiveInt = Field(
        60, description="Most seconds that `Prefer: wait` keeps a client waiting."
    )
    lease_s: float = Field(
        15,
        ge=1,
        description="Seconds without a sign of life after which the jobs of a server are "
        "given to others.",
    )
    grace_s: float = Field(
        10, ge=0, description="Seconds for running jobs to end when the server stops."
    )


class _SourceSettings(_Section):
    title: str | None = Field(None, description="Name for people.")
    attribution: str = Field("", description="Whom to credit; comes back in every answer.")
    terms: str = Field("", description="Terms of use: text or link.")
    aliases: tuple[str, ...] = Field((), description="Further names under which it is found.")
    bulk: bool = Field(default=False, description="Whether whole regions may be read.")
    rendering: str | dict[str, Any] | None = Field(
        None, description="How its bands are drawn unless a request says; `rgb`."
    )


class XyzSettings(_SourceSettings):
    """Map tiles over HTTP, from a template or a provider of xyzservices."""

    type: Literal["xyz"]
    url: str | None = Field(None, description="Template with {z}, {x} and {y} or {-y}.")
    provider: str | None = Field(
        None, description="Name in the xyzservices catalogue, instead of `url`."
    )
    min_zoom: int = Field(0, ge=0, le=30, description="Lowest zoom that exists.")
    max_zoom: int | None = Field(
        None, ge=0, le=30, description="Highest zoom that exists; 19 or the provider's."
    )
    tile_size: Literal[256, 512, 1024] = Field(256, description="Pixels along a tile's side.")
    encoding: Literal["terrarium", "terrain-rgb"] | None = Field(
        None, description="How colours stand for elevation, if the tiles hold elevation."
    )
    bounds: tuple[float, float, float, float] | None = Field(
        None, description="West, south, east, north in degrees, if not the whole world."
    )
    revision: str = Field("", description="Change it when the pictures change.")
    threads: int = Field(8, ge=1, le=64, description="Tiles fetched at the same time.")
    connect_timeout_s: PositiveFloat = Field(3.05, description="Seconds to reach the server.")
    read_timeout_s: PositiveFloat = Field(10, description="Seconds without a byte.")
    deadline_s: PositiveFloat = Field(60, description="Seconds for all tiles of a window.")
    retries: int = Field(2, ge=0, le=10, description="Further tries of a tile that failed.")
    retry_after_s: PositiveFloat = Field(
        3, description="Seconds of a server's `Retry-After` that are waited for."
    )
    host_connections: int = Field(
        8, ge=1, le=64, description="Tiles fetched at the same time from one host, by all sources."
    )
    max_rate: PositiveFloat | None = Field(
        None, description="Requests a second, for servers that set a limit."
    )
    subdomains: tuple[str, ...] = Field(
        (), description="What {s} in `url` stands for; the provider's list, or a, b and c."
    )
    redirect_hosts: tuple[str, ...] = Field(
        (), description="Hosts (`name` or `name:port`) that the server may redirect to."
    )
    cache_tiles: bool = Field(
        default=True, description="Whether tiles are kept on disk as long as the server allows."
    )
    fresh_s: PositiveFloat = Field(
        7 * 24 * 3600, description="Seconds a kept tile is fresh when the server says nothing."
    )


class _GdalSettings(_SourceSettings):
    band_roles: dict[Literal["red", "green", "blue", "nir"], PositiveInt] = Field(
        default_factory=dict, description="Band numbers, where the dataset does not say itself."
    )
    gdal_options: dict[str, str] = Field(
        default_factory=dict, description="GDAL's configuration options while it is read."
    )
    nodata: float | None = Field(
        None, description="The value that means nothing, where the dataset does not say itself."
    )
    elevation: bool = Field(
        default=False, description="Whether the first band is elevation, to be drawn as terrain."
    )
    vertical_unit: Literal["metre", "foot", "us-survey-foot"] | None = Field(
        None, description="Unit of elevation, where the dataset does not say itself; metres."
    )
    revision: str = Field("", description="Change it when the pixels change.")
    max_zoom: int | None = Field(
        None, ge=0, le=24, description="Highest zoom that shows more than the one before it."
    )


class RasterSettings(_GdalSettings):
    """A raster file that GDAL reads, in any coordinate reference system."""

    type: Literal["raster"]
    path: Path = Field(..., description="The file; relative to the configuration file.")
    bulk: bool = Field(default=True, description="Whether whole regions may be read.")


class GdalSettings(_GdalSettings):
    """Whatever else GDAL opens by a name: COGs on the web, WMS, WMTS, MBTiles, STAC items."""

    type: Literal["gdal"]
    dataset: str = Field(
        ..., description="GDAL's name of it; a file is relative to the configuration file."
    )


class SampleSettings(_SourceSettings):
    """The built-in scene, drawn at first start."""

    type: Literal["sample"]
    bulk: bool = Field(default=True, description="Whether whole regions may be read.")


class SampleDemSettings(_SourceSettings):
    """The elevation of the built-in scene."""

    type: Literal["sample-dem"]
    bulk: bool = Field(default=True, description="Whether whole regions may be read.")


SourceSettings = XyzSettings | RasterSettings | GdalSettings | SampleSettings | SampleDemSettings


class Settings(_Section):
    """The section `samgis:`."""

    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    limits: LimitSettings = LimitSettings()
    models: ModelSettings = ModelSettings()
    cache: CacheSettings = CacheSettings()
    results: ResultSettings = ResultSettings()
    href: HrefSettings = HrefSettings()
    jobs: JobSettings = JobSettings()
    callbacks: CallbackSettings = CallbackSettings()
    default_source: str = Field("sample", description="Source of requests that name none.")
    sources: dict[str, SourceSettings] = Field(
        {"sample": SampleSettings(type="sample")}, description="The sources on offer, by id."
    )


def load(config_path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of a configuration file, with relative paths made absolute.

    Raises:
        ConfigurationError: the file cannot be read, or a setting is unknown or wrong.
    """
    try:
        document = yaml.safe_load(config_path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{config_path.name} cannot be read: {error}") from error
    section = _expand(document.get("samgis") or {}, environ)
    return parse(_overridden(section, environ), config_path.parent)


def parse(section: Mapping[str, Any], base: Path) -> Settings:
    """Return the settings of a section; relative paths are taken from `base`.

    Raises:
        ConfigurationError: a setting is unknown or wrong.
    """
    try:
        settings = Settings.model_validate(section)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from error
    if settings.default_source not in settings.sources:
        raise ConfigurationError(
            f"samgis.default_source is {settings.default_source!r}, which is none of the "
            f"configured sources: {', '.join(settings.sources)}"
        )
    return _absolute(settings, base)


def _expand(value: Any, environ: Mapping[str, str]) -> Any:
    """Replace `${NAME}` and `${NAME:-default}`, as pygeoapi does in its own sections."""
    if isinstance(value, Mapping):
        return {key: _expand(item, environ) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, environ) for item in value]
    if not (isinstance(value, str) and "${" in value):
        return value
    head, _, rest = value.partition("${")
    name, closed, tail = rest.partition("}")
    if not closed:
        return value
    name, has_default, default = name.partition(":-")
    if name not in environ and not has_default:
        raise ConfigurationError(f"the environment variable {name} is not set")
    return head + environ.get(name, default) + str(_expand(tail, environ))


def _overridden(section: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    result = {**section}
    for name, text in environ.items():
        path = SHORT_NAMES.get(name) or tuple(name.removeprefix("SAMGIS_").lower().split("__"))
        if name not in SHORT_NAMES and not (name.startswith("SAMGIS_") and len(path) > 1):
            continue
        node = result
        for key in path[:-1]:
            node[key] = {**(node.get(key) or {})}
            node = node[key]
        node[path[-1]] = text if name in SHORT_NAMES else yaml.safe_load(text)
    return result


def _explain(error: ValidationError) -> str:
    return "; ".join(_explain_one(dict(item)) for item in error.errors())


def _explain_one(item: dict[str, Any]) -> str:
    path = [str(part) for part in item["loc"] if not str(part).endswith("Settings")]
    name = ".".join(["samgis", *path])
    if item["type"] != "extra_forbidden":
        return f"{name}: {item['msg']}"
    near = difflib.get_close_matches(path[-1], _known_names(), 1)
    return f"{name} is unknown" + (f"; did you mean {near[0]}?" if near else "")


def _known_names() -> list[str]:
    sections = (Settings, ServerSettings, AccessSettings, KeySettings, LimitSettings)
    sources = (XyzSettings, RasterSettings, GdalSettings, SampleSettings, SampleDemSettings)
    rooms = (ModelSettings, CacheSettings, ResultSettings, JobSettings)
    models = (*sections, *rooms, HrefSettings, CallbackSettings, *sources)
    return sorted({name for model in models for name in model.model_fields})


def _absolute(settings: Settings, base: Path) -> Settings:
    sources = {name: _absolute_source(source, base) for name, source in settings.sources.items()}
    models, cache, results = settings.models, settings.cache, settings.results
    return settings.model_copy(
        update={
            "sources": sources,
            "models": models.model_copy(
                update={"directory": base / models.directory.expanduser()}
            ),
            "cache": cache.model_copy(update={"directory": base / cache.directory.expanduser()}),
            "results": results.model_copy(
                update={"directory": base / results.directory.expanduser()}
            ),
        }
    )


def _absolute_source(source: SourceSettings, base: Path) -> SourceSettings:
    if isinstance(source, RasterSettings):
        return source.model_copy(update={"path": base / source.path.expanduser()})
    # Only GDAL knows which of its names mean files; one that lies there is meant.
    if isinstance(source, GdalSettings) and _is_file(base / source.dataset):
        return source.model_copy(update={"dataset": str(base / source.dataset)})
    return source


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # longer than a file's name may be: XML, or a signed address
        return False
