"""The committed files of the top level: pygeoapi's configuration and the OpenAPI document."""

from types import SimpleNamespace

import pytest
import yaml
from pygeoapi.config import validate_config
from pygeoapi.openapi import validate_openapi_document
from pygeoapi.plugin import load_plugin

from samgis_process.processes import dem_composite_description, segment_description
from samgis_process.server import openapi_file
from samgis_process.server.config import read_config
from samgis_process.server.wiring import model_room
from samgis_process.settings import load
from samgis_process.sources import SourceCatalogue


@pytest.fixture
def services(config_path, tmp_path):
    """The processes' descriptions, without the model that running them takes."""
    settings = load(config_path, {})
    sources = SourceCatalogue(settings.sources, settings.default_source, tmp_path)
    described = {
        "segment": segment_description.describe(sources, model_room(settings), settings.limits),
        "dem-composite": dem_composite_description.describe(sources),
    }
    processes = {name: SimpleNamespace(description=one) for name, one in described.items()}
    return SimpleNamespace(processes=processes)


def test_the_committed_document_is_what_the_processes_say(services, config_path):
    committed = config_path.with_name("openapi.yml").read_text(encoding="utf-8")
    assert committed == openapi_file.render(services, config_path), (
        "run: samgis-process openapi --out openapi.yml"
    )


def test_the_document_is_valid(services, config_path):
    document = yaml.safe_load(openapi_file.render(services, config_path))
    assert validate_openapi_document(document)


def test_the_configuration_is_valid(config_path):
    assert validate_config(read_config(config_path))


def test_each_process_of_the_configuration_is_a_plugin(config_path, services):
    resources = read_config(config_path)["resources"]
    assert resources.keys() == services.processes.keys()
    for resource in resources.values():
        name = resource["processor"]["name"]
        module, _, class_name = name.rpartition(".")
        assert getattr(__import__(module, fromlist=[class_name]), class_name)
    described = {
        "name": "samgis_process.server.processors.DescribedProcessor",
        "description": services.processes["segment"].description,
    }
    assert load_plugin("process", described).metadata["id"] == "segment"
