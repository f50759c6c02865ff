"""Typed settings: the section `samgis:` of pygeoapi's configuration, and the environment.

Any value can be overridden by `SAMGIS_SECTION__KEY` (`SAMGIS_LIMITS__MAX_PROMPTS=50`).
"""

from samgis_process.errors import ConfigurationError
from samgis_process.settings.reading import (
    DEFAULT_CONFIG,
    SHORT_NAMES,
    Settings,
    load,
    parse,
)
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

__all__ = [
    "DEFAULT_CONFIG",
    "SHORT_NAMES",
    "AccessSettings",
    "CacheSettings",
    "CallbackSettings",
    "ConfigurationError",
    "GdalSettings",
    "HrefSettings",
    "JobSettings",
    "KeySettings",
    "LimitSettings",
    "ModelSettings",
    "RasterSettings",
    "ResultSettings",
    "SampleDemSettings",
    "SampleSettings",
    "ServerSettings",
    "Settings",
    "SourceSettings",
    "XyzSettings",
    "load",
    "parse",
]
