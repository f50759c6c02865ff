"""No run leaves arrays behind that only the collector of garbage would find."""

import gc

import numpy as np
import pytest

from samgis_process.errors import SamgisError
from samgis_process.ogc.process import Context
from samgis_process.server.wiring import build_services
from samgis_process.settings import parse

WINDOW = [-29.59652, 41.25536, -29.58304, 41.26479]
POINT = {"type": "point", "data": {"lng": -29.58979, "lat": 41.26234}}
SEGMENT = {"bbox": WINDOW, "source": "sample", "prompt": [POINT]}
RUNS = {
    "segment": ("segment", SEGMENT),
    "all masks": ("segment", SEGMENT | {"masks": "all", "orthogonalize": True}),
    "second looks": ("segment", SEGMENT | {"detail": "always"}),
    "terrain": ("segment", SEGMENT | {"source": "sample-dem"}),
    "composite": ("dem-composite", {"bbox": WINDOW, "layers": ["slope", "sky_view"]}),
    "outside": ("segment", SEGMENT | {"bbox": [10, 10, 10.01, 10.01]}),
    "refused": ("segment", SEGMENT | {"rendering": "false-colour"}),
    "no picture": ("segment", SEGMENT | {"source": None, "image": "AAAA"}),
}


@pytest.fixture(scope="module")
def services(tiny_model_dir, tmp_path_factory):
    directory = tmp_path_factory.mktemp("garbage")
    section = {
        "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
        "cache": {"directory": str(directory)},
        "results": {"directory": str(directory / "data")},
        "default_source": "sample",
        "sources": {"sample": {"type": "sample"}, "sample-dem": {"type": "sample-dem"}},
    }
    return build_services(parse(section, directory))


def ran(services, process, inputs):
    inputs = {name: value for name, value in inputs.items() if value is not None}
    try:
        services.processes[process].run(inputs, Context("x", {"features": "application/geo+json"}))
    except SamgisError:
        return


@pytest.mark.parametrize("name", RUNS)
def test_a_run_leaves_no_garbage_with_arrays(services, name):
    ran(services, *RUNS[name])  # what is kept for the next time
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        ran(services, *RUNS[name])
        gc.collect()
        arrays = [one for one in gc.garbage if isinstance(one, np.ndarray)]
        held = [one for one in gc.garbage if _holds_array(one)]
        assert not arrays
        assert not held, [type(one).__name__ for one in held]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def _holds_array(thing):
    return any(
        isinstance(one, np.ndarray) and one.nbytes > 10_000 for one in gc.get_referents(thing)
    )
