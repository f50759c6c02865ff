"""A real server with the process `echo`, which takes 1.5 s, on each store of jobs."""

import pytest
from ogc_suite import Suite

ECHO_S = 1.5  # an instant echo would hide everything that is wrong with unfinished jobs


@pytest.fixture(scope="session")
def origin(script):
    """Somebody else's web server, which inputs come from and callbacks go to."""
    with script("origin_server").serving() as origin:
        yield origin


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def suite(request, script, origin, tiny_model_dir, tmp_path_factory):
    """A server with its own store."""
    jobs = {"workers": 2}
    if request.param == "postgresql":
        jobs["url"] = request.getfixturevalue("postgresql").url()
    folder = tmp_path_factory.mktemp(request.param)
    helper = script("server_process")
    config = helper.configure(
        folder / "config.yml",
        tiny_model_dir,
        folder / "cache",
        {"none": {"type": "xyz", "url": "http://127.0.0.1:9/{z}/{x}/{y}.png"}},
        server={"echo_s": ECHO_S},
        jobs=jobs,
        href={"private_hosts": [origin.host]},
        callbacks={"private_hosts": [origin.host]},
    )
    server = helper.ServerProcess(config, folder / "log").start().ready()
    yield Suite(server.url)
    server.stop()
