"""From a configuration file and the environment to settings."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import Field, ValidationError

from samgis_process.errors import ConfigurationError
from samgis_process.settings.sections import (
    AccessSettings,
    CacheSettings,
    CallbackSettings,
    HrefSettings,
    JobSettings,
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

DEFAULT_CONFIG = Path(__file__).parents[1] / "pygeoapi-config.yml"
PREFIX = "SAMGIS_"
# Variables of other parts: where models come from, and what tests need.
NO_SETTINGS = ("SAMGIS_CHECKPOINT", "SAMGIS_MODEL_FILES", "SAMGIS_API_KEY", "SAMGIS_TEST_")
_NO_WORD = re.compile(r"\W")
_SOURCES = object()  # in a walk along a path: between the name of a source and its kind
_BY_KIND: dict[Any, type[Section]] = {
    "xyz": XyzSettings,
    "raster": RasterSettings,
    "gdal": GdalSettings,
    "sample": SampleSettings,
    "sample-dem": SampleDemSettings,
}


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
        text = config_path.read_text(encoding="utf-8")
        document = yaml.safe_load(text) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{config_path.name} cannot be read: {error}") from error
    section = _expand(document.get("samgis") or {}, environ)
    own = {name: value for name, value in environ.items() if f"${{{name}" not in text}
    return parse(_overridden(section, own), config_path.parent)


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
        path: tuple[str, ...]
        if name in SHORT_NAMES:
            path, value = SHORT_NAMES[name], text
        elif name.startswith(PREFIX) and not name.startswith(NO_SETTINGS):
            path, value = _path(name), yaml.safe_load(text)
        else:
            continue
        node = result
        for key in path[:-1]:
            key = _spelled(key, node)  # noqa: PLW2901  as the file spells it
            node[key] = {**(node.get(key) or {})}
            node = node[key]
        node[_spelled(path[-1], node)] = value
    return result


def _path(name: str) -> tuple[str, ...]:
    """Return the setting that a variable means: SAMGIS_SECTION__KEY, or SAMGIS_DEFAULT_SOURCE."""
    path = tuple(name.removeprefix(PREFIX).lower().split("__"))
    if len(path) > 1 or path[0] in Settings.model_fields:
        return path
    known = [
        f"{PREFIX}{section}__{key}".upper()
        for section, about in Settings.model_fields.items()
        if (model := _model(about.annotation)) is not None
        for key in model.model_fields
    ]
    near = difflib.get_close_matches(name, [*known, *SHORT_NAMES], 1, 0.75)
    hint = f"; did you mean {near[0]}?" if near else "; settings are SAMGIS_SECTION__KEY"
    raise ConfigurationError(f"the environment variable {name} is no setting{hint}")


def _spelled(key: str, node: Mapping[str, Any]) -> str:
    """Return a key as it stands in `node`; variables have no capitals, dots or hyphens in them."""
    plain = _NO_WORD.sub("_", key).casefold()
    return next((one for one in node if _NO_WORD.sub("_", str(one)).casefold() == plain), key)


def _explain(error: ValidationError) -> str:
    return "; ".join(_explain_one(dict(item)) for item in error.errors())


def _explain_one(item: dict[str, Any]) -> str:
    """Say what is wrong with one setting; pydantic puts the kind of a source into its path."""
    model: Any = Settings
    path: list[str] = []
    for part in item["loc"]:
        found = _BY_KIND.get(part) if model is _SOURCES and path[-1:] != ["sources"] else None
        if found:
            model = found
            continue
        path.append(str(part))
        if model is _SOURCES:
            continue
        field = model.model_fields.get(part) if model else None
        is_sources = model is Settings and part == "sources"
        model = _SOURCES if is_sources else _model(field.annotation) if field else model
    name = ".".join(["samgis", *path])
    if item["type"] == "union_tag_not_found":
        return f"{name}.type is missing; it is one of: {', '.join(_BY_KIND)}"
    if item["type"] == "union_tag_invalid":
        return f"{name}.type is no kind of source; it is one of: {', '.join(_BY_KIND)}"
    if item["type"] != "extra_forbidden":
        return f"{name}: {item['msg']}"
    names = [] if model in (None, _SOURCES) else [*model.model_fields]
    near = difflib.get_close_matches(path[-1], names, 1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
    return f"{name} is unknown; {hint}"


def _model(annotation: Any) -> type[Section] | None:
    """Return the section that a setting holds, alone or in a list."""
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, Section):
            return one
    return None


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
