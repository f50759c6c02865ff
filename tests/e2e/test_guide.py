"""The guide: what it tells people to run is run, and prints what it says."""

import re
from pathlib import Path

import pytest

PAGES = (
    "tutorials/first-segmentation.md",
    "tutorials/volcano-in-a-dem.md",
    "how-to/command-line.md",
    "how-to/write-a-client.md",
    "how-to/operate.md",
)
DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture
def environ(server):
    """The settings of the server that tests share, and its cache."""
    return {
        "PYGEOAPI_CONFIG": str(server.config),
        "SAMGIS_CACHE_DIR": str(server.cache),
        "SAMGIS_DATA_DIR": str(server.cache / "data"),
    }


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_is_what_happens(page, script, server, environ, tmp_path):
    guide = script("guide")
    blocks = guide.blocks(page)
    assert blocks
    for block in blocks:
        printed = guide.run(block, tmp_path, environ, server.url)
        if block.output is not None:
            assert printed.splitlines() == block.output.splitlines(), block.code


def test_the_javascript_of_the_page_of_clients_runs_in_a_browser(server, visit):
    text = (DOCS / "how-to" / "write-a-client.md").read_text()
    (code,) = re.findall(r"```js\n(.*?)```", text, re.DOTALL)
    page = visit(f"{server.url}/health")
    collection = page.evaluate(f"async () => {{ {code}; return collection; }}")
    assert len(collection["features"]) == 1


def test_the_index_names_every_page():
    linked = set(re.findall(r"\]\(([^)#]+)\)", (DOCS / "README.md").read_text()))
    there = {str(page.relative_to(DOCS)) for page in DOCS.glob("**/*.md")} - {"README.md"}
    assert there == {page for page in linked if page.endswith(".md")}
