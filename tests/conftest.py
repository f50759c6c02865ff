"""What tests share: the reference data, the real model, a tiny one, and how to ask for more."""

import importlib.util
import os
import secrets
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
TEST_DATA = Path(os.environ.get("SAMGIS_TEST_DATA", ROOT.parent / "shared" / "data"))
MODELS = Path(os.environ.get("SAMGIS_MODELS_DIR", ROOT / "models"))

# Worker processes find what they are to do by its module's name.
sys.path.append(str(ROOT / "tests"))

settings.register_profile("quick", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=1000, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "quick")


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="run the long proofs too")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--soak"):
        kept = [item for item in items if "soak" not in item.keywords]
        config.hook.pytest_deselected(items=[item for item in items if "soak" in item.keywords])
        items[:] = kept


def lacking(reason):
    """Skip with a printed reason, or fail where nothing may be skipped."""
    if os.environ.get("SAMGIS_TEST_REQUIRE") == "all":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def unavailable():
    """Call it with a reason where a part is missing: skips, or fails where nothing may skip."""
    return lacking


@pytest.fixture(scope="session")
def data_directory():
    """Where the reference data would be."""
    return TEST_DATA


@pytest.fixture(scope="session")
def test_data(data_directory):
    """The directory of real pictures, tiles and reference outputs; without it, skip."""
    if not data_directory.is_dir():
        lacking(f"no reference data in {data_directory}; set SAMGIS_TEST_DATA")
    return data_directory


@pytest.fixture(scope="session")
def model_dir():
    """The built MobileSAM; it and the default model are made if they are not there."""
    from samgis_process.inference import catalogue
    from samgis_process.settings import ModelSettings
    from samgis_process.weights.build import ensure

    wanted = (ModelSettings().default, "mobile-sam")
    *_, directory = (
        ensure(catalogue.entry(name), MODELS, lambda message, _: print(message)) for name in wanted
    )
    return directory


@pytest.fixture(scope="session")
def tiny_model_dir(tmp_path_factory):
    """An analytic model of the same contract: milliseconds, and exact on flat colours."""
    directory = tmp_path_factory.mktemp("models") / "tiny"
    directory.mkdir()
    load_script("tiny_model").write(directory)
    return directory


def load_script(name):
    """Import a module of this directory by name."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def script():
    """Import a helper module of the tests by name."""
    return load_script


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server, empty but for what tests put there; without one, skip."""
    programs = load_script("postgresql").programs()
    if programs is None or importlib.util.find_spec("psycopg") is None:
        lacking("no PostgreSQL: it takes `make system-packages` and the package `psycopg[binary]`")
    cluster = load_script("postgresql").Cluster(programs)
    try:
        cluster.make()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def database(postgresql):
    """The address of a new database."""
    import sqlalchemy

    name = f"test_{secrets.token_hex(6)}"
    engine = sqlalchemy.create_engine(postgresql.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return postgresql.url(name)
