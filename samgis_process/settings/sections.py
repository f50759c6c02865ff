"""The sections of our settings as types; what is not said has a default."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    PositiveFloat,
    PositiveInt,
    model_validator,
)


class Section(BaseModel):
    """Refuses what it does not know, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Section):
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


class KeySettings(Section):
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


class AccessSettings(Section):
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


class LimitSettings(Section):
    """What one request may ask for."""

    max_pixels: PositiveInt = Field(2048 * 2048, description="Source pixels in one window.")
    max_prompts: PositiveInt = Field(1000, description="Prompts in one request.")
    max_body_bytes: PositiveInt = Field(
        48 * 2**20,
        description="Bytes of a request's body; a picture in it takes 4/3 of its own bytes.",
    )
    max_bytes_together: PositiveInt = Field(
        256 * 2**20, description="Bytes of the bodies of all requests under way."
    )
    max_connections: PositiveInt = Field(
        512,
        description="Connections kept; half of the file descriptors that the system allows, if "
        "that is less. Beyond, the one that was silent longest is closed.",
    )
    max_image_bytes: PositiveInt = Field(
        32 * 2**20, description="Bytes of a picture in a request, decoded from base64."
    )
    max_image_pixels: PositiveInt = Field(
        64 * 10**6, description="Pixels of a picture in a request, by its header."
    )
    max_decoded_bytes: PositiveInt = Field(
        640 * 2**20,
        description="Bytes that pictures in requests take decoded, all bands of all that are "
        "being read together; one that takes more is refused.",
    )
    sync_workers: int = Field(
        0,
        ge=0,
        description="Requests that compute at the same time; 0 takes two for each core. One that "
        "waits for pixels lets another compute meanwhile.",
    )
    sync_queue: PositiveInt = Field(
        48,
        description="Requests that may wait besides, for their turn or for pixels; for those of "
        "one source, half of all that are under way.",
    )
    gdal_cache_bytes: PositiveInt = Field(
        64 * 2**20,
        description="Bytes of raster blocks that each process keeps decoded; GDAL_CACHEMAX wins.",
    )
    encode_wait_s: PositiveFloat = Field(
        120, description="Seconds to wait for another request that encodes the same window."
    )


def models_directory() -> Path:
    """Return where models are kept unless a setting says."""
    checkout = Path(__file__).parents[2]
    if (checkout / "pyproject.toml").is_file():
        return checkout / "models"
    return platformdirs.user_data_path("samgis-process", appauthor=False) / "models"


class ModelSettings(Section):
    """Which model answers, and where the built files lie."""

    default: str = Field("mobile-sam-maps", description="The model of the catalogue that answers.")
    directory: Path = Field(
        default_factory=models_directory,
        description="Directory of the built models: by default `models` in a checkout, else in "
        "the user's directory of data.",
    )
    threads: int = Field(
        0, ge=0, description="Threads of one model run; 0 takes one for each core."
    )
    provider: Literal["cpu", "cuda"] = Field(
        "cpu", description="What runs the models; onnxruntime must have been built with it."
    )


class CacheSettings(Section):
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


class ResultSettings(Section):
    """Files that answers link to."""

    directory: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("samgis-process", appauthor=False),
        description="Directory of data; results lie in `results` below it.",
    )
    keep_s: PositiveFloat = Field(24 * 3600, description="Seconds for which a result is kept.")
    max_bytes: PositiveInt = Field(
        10 * 2**30, description="Bytes of results kept; the oldest go first."
    )


class HrefSettings(Section):
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


class CallbackSettings(Section):
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


class JobSettings(Section):
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
        10 * 2**30,
        description="Bytes of outputs kept, and of the requests of jobs that are not done, which "
        "may take half; the oldest outputs go first.",
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
