"""Where the parts meet: settings in, services out. The command line uses it too."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from samgis_process import arenas, tally
from samgis_process.embeddings import BlobStore, EmbeddingCache
from samgis_process.inference.room import ModelRoom
from samgis_process.inference.sessions import Runtime
from samgis_process.jobs import JobRoom, JobStore, Limits, OutputStore
from samgis_process.map import MapRoom
from samgis_process.ogc.echo import EchoProcess
from samgis_process.ogc.hrefs import Fetch
from samgis_process.ogc.process import Context, Output, Process
from samgis_process.processes.dem_composite import DemCompositeProcess
from samgis_process.processes.pictures import Pictures
from samgis_process.processes.segment import SegmentProcess
from samgis_process.results import ResultStore
from samgis_process.server import foreign, job_work
from samgis_process.server.callbacks import Callbacks
from samgis_process.server.fetching import fetcher
from samgis_process.settings import AccessSettings, LimitSettings, Settings
from samgis_process.settings import load as load_settings
from samgis_process.sources import SourceCatalogue
from samgis_process.sources.gdal_env import bound_cache

CONFIG_VARIABLE = "PYGEOAPI_CONFIG"  # pygeoapi's own, so that both read one file


@dataclass(frozen=True, slots=True)
class Caches:
    """The stores below the cache directory."""

    embeddings: BlobStore
    prefixes: BlobStore
    tiles: BlobStore
    pictures: BlobStore

    @classmethod
    def of(cls, settings: Settings) -> Caches:
        """Return the stores that the settings place and bound."""
        cache = settings.cache
        return cls(
            BlobStore(cache.directory / "embeddings", cache.max_bytes),
            BlobStore(cache.directory / "prefixes", cache.max_prefix_bytes),
            BlobStore(cache.directory / "tiles", cache.max_tile_bytes),
            BlobStore(cache.directory / "pictures", cache.max_picture_bytes),
        )


@dataclass(frozen=True, slots=True)
class Services:
    """What the server and the command line work with."""

    settings: Settings
    sources: SourceCatalogue
    models: ModelRoom
    processes: Mapping[str, Process]
    results: ResultStore

    @property
    def limits(self) -> LimitSettings:
        """What one request may ask for."""
        return self.settings.limits

    @property
    def access(self) -> AccessSettings:
        """Who may use the server, and how much."""
        return self.settings.access

    @property
    def max_wait_s(self) -> int:
        """The longest that a client is kept waiting for a job."""
        return self.settings.jobs.max_wait_s

    @property
    def fetch(self) -> Fetch | None:
        """Gets inputs that come by reference."""
        return fetcher(self.settings.href)

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Host headers accepted besides the loopback names and the public URL's."""
        return self.settings.server.allowed_hosts

    @property
    def public_url(self) -> str | None:
        """Address of the server in links."""
        return self.settings.server.public_url

    def health(self) -> dict[str, Any]:
        """Return what a monitor wants to know."""
        known = self.sources.availability()
        down = any(one.id == self.sources.default and one.reason for one in known)
        return {
            "status": "degraded" if down else "ok",
            "models": self.models.health(),
            "sources": [asdict(one) for one in known],
        }


class SegmentService:
    """`segment` as the OGC room wants a process."""

    def __init__(self, process: SegmentProcess) -> None:
        self._process = process
        self.description: Mapping[str, Any] = process.description

    def run(self, inputs: dict[str, Any], context: Context) -> Mapping[str, Output]:
        """Run the process; its one output is named `features`."""
        return {"features": Output(*self._process.run(inputs, context))}


class DemCompositeService:
    """`dem-composite` as the OGC room wants a process."""

    def __init__(self, process: DemCompositeProcess) -> None:
        self._process = process
        self.description: Mapping[str, Any] = process.description

    def run(self, inputs: dict[str, Any], context: Context) -> Mapping[str, Output]:
        """Run the process; its one output is named `features`."""
        return {"features": Output(*self._process.run(inputs, context))}


def build_services(settings: Settings, config: Path | None = None) -> Services:
    """Build what the settings describe.

    Args:
        config: the configuration file, for processes of others that it names.

    Raises:
        ConfigurationError: a setting does not do.
        ModelUnavailable: the model is not installed.
    """
    arenas.bound()
    models = model_room(settings)
    models.get(settings.models.default)  # missing, it shall be said now
    cache = settings.cache
    caches = Caches.of(settings)
    sources = source_catalogue(settings, caches)
    embeddings = EmbeddingCache(
        caches.embeddings, cache.directory / "locks", settings.limits.encode_wait_s
    )
    pictures = Pictures(caches.pictures, settings.limits)
    segment = SegmentProcess(
        sources, models, embeddings, caches.prefixes, settings.limits, pictures
    )
    results = result_store(settings)
    results.sweep()
    composite = DemCompositeProcess(sources, settings.limits, pictures, results)
    processes: dict[str, Process] = {
        "segment": SegmentService(segment),
        "dem-composite": DemCompositeService(composite),
    }
    if settings.server.echo_s is not None:
        processes["echo"] = EchoProcess(settings.server.echo_s)
    if config is not None:
        processes = {**foreign.processes_of(config), **processes}
    return Services(settings, sources, models, processes, results)


def job_room(settings: Settings, config: Path) -> JobRoom:
    """Return the jobs; its workers build their own services from the same configuration.

    Raises:
        StoreUnusable: their record cannot be opened.
    """
    jobs, data = settings.jobs, settings.results.directory
    return JobRoom(
        JobStore(jobs.url or data / "jobs.sqlite"),
        OutputStore(data / "jobs", result_store(settings).remove_of),
        job_work.factory(config),
        job_work.explain,
        Limits(
            workers=jobs.workers,
            queue=jobs.queue,
            keep_s=jobs.keep_s,
            max_bytes=jobs.max_bytes,
            time_limit_s=jobs.time_limit_s,
            lease_s=jobs.lease_s,
            grace_s=jobs.grace_s,
        ),
        Callbacks(settings.callbacks) if settings.callbacks.enabled else None,
        tally.merge,
    )


def map_room(services: Services) -> MapRoom:
    """Return the map page of a server."""
    return MapRoom(
        services.sources,
        services.models,
        services.limits,
        services.access,
        services.public_url,
    )


def dem_composite(settings: Settings) -> DemCompositeProcess:
    """Return this process alone: it needs no model."""
    caches = Caches.of(settings)
    sources = source_catalogue(settings, caches)
    pictures = Pictures(caches.pictures, settings.limits)
    return DemCompositeProcess(sources, settings.limits, pictures, result_store(settings))


def source_catalogue(settings: Settings, caches: Caches) -> SourceCatalogue:
    """Return the sources on offer; none is opened yet."""
    directory = settings.cache.directory
    bound_cache(settings.limits.gdal_cache_bytes)
    return SourceCatalogue(settings.sources, settings.default_source, directory, caches.tiles)


def result_store(settings: Settings) -> ResultStore:
    """Return the files that answers link to."""
    kept = settings.results
    return ResultStore(
        kept.directory / "results",
        kept.keep_s,
        kept.max_bytes,
        job_keep_s=settings.jobs.keep_s,
    )


def model_room(settings: Settings) -> ModelRoom:
    """Return the models that the settings place."""
    models = settings.models
    runtime = Runtime(models.threads, models.provider)
    return ModelRoom(models.directory, models.default, runtime)


def config_path() -> Path:
    """Return the configuration file that the environment names."""
    return Path(os.environ.get(CONFIG_VARIABLE, "pygeoapi-config.yml")).resolve()


_default: list[Services] = []
_default_lock = threading.Lock()


def default_services() -> Services:
    """Return the services of the configuration that `PYGEOAPI_CONFIG` names, built once."""
    with _default_lock:
        if not _default:
            _default.append(build_services(load_settings(config_path()), config_path()))
        return _default[0]


def set_default(services: Services) -> None:
    """Make `services` the ones that pygeoapi's processors use in this process."""
    with _default_lock:
        _default[:] = [services]
