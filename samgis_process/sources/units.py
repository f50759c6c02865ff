"""The vertical unit of an elevation dataset, as it says itself or as its operator says."""

from __future__ import annotations

from typing import Any

from pyproj import CRS

from samgis_process.settings import ConfigurationError
from samgis_process.sources.place import Place

METRES = {
    "metre": 1.0,
    "foot": 0.3048,  # international, exact since 1959
    "us-survey-foot": 1200 / 3937,
}
_SPELLINGS = {
    "metre": ("m", "meter", "meters", "metres", "mtr"),
    "foot": ("ft", "feet", "international foot", "international feet"),
    "us-survey-foot": (
        "us survey foot", "us survey feet", "us_survey_foot", "ftus", "us-ft", "us foot",
        "foot_us", "sft",
    ),
}  # fmt: skip
_NAMES = {word: name for name, words in _SPELLINGS.items() for word in (name, *words)}


def metres_of(
    dataset: Any, source_id: str, place: Place, told: str | None = None
) -> tuple[float, str]:
    """Return how many metres one unit of the first band is, and a warning if that is a guess.

    By the operator, the band's own unit, or the vertical axis of a compound CRS, in that order;
    where nobody says anything it is metres, as in nearly all elevation data.

    Args:
        told: a key of `METRES`.

    Raises:
        ConfigurationError: the band's unit is no length that is known here.
    """
    if told:
        return METRES[told], ""
    unit = (dataset.units[0] or "").strip().casefold() if dataset.units else ""
    if unit and unit not in _NAMES:
        raise ConfigurationError(
            f"source {source_id} holds elevation in {unit!r}, which is no known unit; say "
            f"`vertical_unit`: {', '.join(METRES)}"
        )
    if unit:
        return METRES[_NAMES[unit]], ""
    parts = CRS.from_wkt(place.crs).sub_crs_list
    axes = [part.axis_info[0] for part in parts if part.is_vertical]
    if axes:
        return float(axes[0].unit_conversion_factor), ""
    if place.metric:
        return 1.0, ""
    return 1.0, (
        f"heights of {source_id} were taken for metres, though its map is in feet and it does not "
        f"say; `vertical_unit` settles it: {', '.join(METRES)}"
    )
