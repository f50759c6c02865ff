"""From a configuration file and the environment to settings."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from samgis_process.errors import SamgisError
from samgis_process.settings.sections import (
    AccessSettings,
    CacheSettings,
    CallbackSettings,
    HrefSettings,
    JobSettings,
    KeySettings,
    LimitSettings,
    ModelSettings,
    ResultSettings,
    Section,
    ServerSettings,
)
from samgis_process.settings.sources import (
    GdalSettings,
    RasterSettings,
    SampleDemSettings,
    SampleSettings,
    SourceSettings,
    XyzSettings,
)

# Names that stand for one setting each; the first part of every other name is a section.
SHORT_NAMES = {
    "SAMGIS_PUBLIC_URL": ("server", "public_url"),
    "SAMGIS_CACHE_DIR": ("cache", "directory"),
    "SAMGIS_DATA_DIR": ("results", "directory"),
    "SAMGIS_MODELS_DIR": ("models", "directory"),
}


class ConfigurationError(SamgisError):
    """The configuration cannot be used; the message names the setting and what it wants."""


class Settings(Section):
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
