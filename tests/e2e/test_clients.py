"""docs/clients.md: what it shows is what happens."""

import shutil

import pytest


@pytest.fixture(scope="module")
def page(script):
    return script("clients_page")


def examples():
    import clients_page

    return clients_page.examples()


@pytest.mark.parametrize("index", range(len(examples())))
def test_each_example_prints_what_the_page_shows(index, page, suite_server, unavailable):
    example = page.examples()[index]
    for program in ("gdalinfo", "ogrinfo"):
        if program in example.code and shutil.which(program) is None:
            unavailable(f"no {program}: it takes GDAL's programs")
    if "qgis.core" in example.code and not page.has_qgis():
        unavailable("no QGIS: it takes `make system-packages`")
    assert page.run(example, suite_server.url).splitlines() == example.output.splitlines()
