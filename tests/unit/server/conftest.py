"""Tests that import pygeoapi."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # pygeoapi's models use what pydantic will drop one day; that is not ours to mend.
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:pygeoapi")
