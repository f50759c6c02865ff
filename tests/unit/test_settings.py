import importlib.util
from pathlib import Path

import pytest
import yaml

from samgis_process.settings import ConfigurationError, XyzSettings, load, parse

ROOT = Path(__file__).parent.parent.parent


def load_text(tmp_path, text, **environ):
    path = tmp_path / "config.yml"
    path.write_text(text)
    return load(path, environ)


def test_defaults_need_no_section(tmp_path):
    settings = load_text(tmp_path, "server: {}")
    assert settings.default_source == "sample"
    assert settings.models.directory == ROOT / "models"


def test_a_misspelt_key_is_answered_with_the_nearest_one(tmp_path):
    with pytest.raises(ConfigurationError, match=r"samgis\.limits\.max_promts.*max_prompts"):
        load_text(tmp_path, "samgis: {limits: {max_promts: 3}}")
    with pytest.raises(ConfigurationError, match=r"default_sorce is unknown.*default_source"):
        load_text(tmp_path, "samgis: {default_sorce: a}")


def test_a_wrong_value_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"samgis\.limits\.max_pixels"):
        load_text(tmp_path, "samgis: {limits: {max_pixels: -1}}")


def test_a_default_source_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="'moon', which is none of"):
        load_text(tmp_path, "samgis: {default_source: moon}")


def test_the_environment_overrides(tmp_path):
    settings = load_text(
        tmp_path,
        "samgis: {limits: {max_prompts: 5, max_pixels: 7}}",
        SAMGIS_LIMITS__MAX_PROMPTS="50",
        SAMGIS_CACHE_DIR="/somewhere",
        SAMGIS_DATA_DIR="kept",
        SAMGIS_SERVER__ALLOWED_HOSTS="[a.example, b.example]",
    )
    assert settings.limits.max_prompts == 50
    assert settings.limits.max_pixels == 7
    assert settings.cache.directory == Path("/somewhere")
    assert settings.results.directory == tmp_path / "kept"
    assert settings.server.allowed_hosts == ("a.example", "b.example")


def test_keys_come_from_the_environment(tmp_path):
    text = """
samgis:
  default_source: a
  sources:
    a: {type: xyz, url: "https://tiles.example/{z}/{x}/{y}?key=${KEY}&v=${V:-1}"}
"""
    url = load_text(tmp_path, text, KEY="k").sources["a"].url
    assert url == "https://tiles.example/{z}/{x}/{y}?key=k&v=1"
    with pytest.raises(ConfigurationError, match="variable KEY is not set"):
        load_text(tmp_path, text)


def test_relative_paths_are_taken_from_the_file(tmp_path):
    section = {"default_source": "r", "sources": {"r": {"type": "raster", "path": "a.tif"}}}
    assert parse(section, tmp_path).sources["r"].path == tmp_path / "a.tif"


def test_a_file_that_is_no_yaml_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"config\.yml cannot be read"):
        load_text(tmp_path, "a: [")
    with pytest.raises(ConfigurationError, match=r"gone\.yml cannot be read"):
        load(tmp_path / "gone.yml")


def test_the_committed_configuration_is_good():
    settings = load(ROOT / "pygeoapi-config.yml", {})
    assert isinstance(settings.sources["OpenStreetMap.Mapnik"], XyzSettings)
    public = [one for one in settings.sources.values() if isinstance(one, XyzSettings)]
    assert not any(source.bulk for source in public)
    assert yaml.safe_load((ROOT / "pygeoapi-config.yml").read_text())["resources"]["segment"]


def test_every_setting_is_in_the_reference():
    path = ROOT / "tools" / "settings_reference.py"
    spec = importlib.util.spec_from_file_location("settings_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    committed = module.PAGE.read_text(encoding="utf-8")
    assert committed == module.page(), "run `python tools/settings_reference.py`"


@pytest.mark.parametrize(
    ("access", "words"),
    [
        ({"user_header": "X-User"}, r"samgis\.access: .*believed from `proxies` alone"),
        ({"proxies": ["my proxy"]}, r"samgis\.access\.proxies\.0: .*network"),
        ({"keys": [{"name": "ann", "key": "x"}]}, r"samgis\.access\.keys\.0\.key is unknown"),
        ({"keys": [{"name": "ann", "sha256": "samgis_s3cret"}]}, r"keys\.0\.sha256: "),
        ({"burst": 0}, r"samgis\.access\.burst: "),
        ({"request_per_minute": 1}, "did you mean requests_per_minute"),
    ],
)
def test_access_that_cannot_be_is_refused_in_words(tmp_path, access, words):
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse({"access": access}, tmp_path)
    assert "s3cret" not in str(caught.value)


def test_keys_may_come_from_the_environment(tmp_path):
    keys = f'[{{name: ann, sha256: "{"0" * 64}"}}]'
    settings = load_text(tmp_path, "", SAMGIS_ACCESS__KEYS=keys)
    assert settings.access.keys[0].name == "ann"
    assert settings.access.is_closed


XYZ = {"type": "xyz", "url": "https://tiles.example/{z}/{x}/{y}"}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SAMGIS_LIMITS_MAX_PROMPTS", "SAMGIS_LIMITS__MAX_PROMPTS"),
        ("SAMGIS_CACHE_DIRECTORY", "SAMGIS_CACHE__DIRECTORY"),
        ("SAMGIS_MODEL_DIR", "SAMGIS_MODELS_DIR"),
        ("SAMGIS_NONSENSE", "SAMGIS_SECTION__KEY"),
    ],
)
def test_a_variable_that_is_no_setting_is_answered_with_the_nearest_one(tmp_path, name, meant):
    with pytest.raises(ConfigurationError, match=rf"{name} is no setting.*{meant}"):
        load_text(tmp_path, "", **{name: "5"})


def test_variables_of_other_parts_and_of_the_file_are_let_be(tmp_path):
    others = {"SAMGIS_TEST_DATA": "x", "SAMGIS_CHECKPOINT": "y", "SAMGIS_TILE_KEY": "k"}
    text = "samgis: {server: {public_url: 'https://a.example/${SAMGIS_TILE_KEY}'}}"
    assert load_text(tmp_path, text, **others).server.public_url == "https://a.example/k"
    assert load_text(tmp_path, "", SAMGIS_DEFAULT_SOURCE="sample").default_source == "sample"


@pytest.mark.parametrize("name", ["OpenStreetMap.Mapnik", "Two-Words", "plain"])
def test_a_source_of_any_name_can_be_overridden(tmp_path, name):
    text = yaml.safe_dump({"samgis": {"default_source": name, "sources": {name: XYZ}}})
    variable = name.upper().replace(".", "_").replace("-", "_")
    settings = load_text(tmp_path, text, **{f"SAMGIS_SOURCES__{variable}__MAX_ZOOM": "7"})
    assert settings.sources[name].max_zoom == 7


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (XYZ | {"max_rat": 3}, "samgis.sources.a.max_rat is unknown; did you mean max_rate?"),
        (XYZ | {"max_zoom": "x"}, "samgis.sources.a.max_zoom: "),
        ({"type": "raster", "path": "a.tif", "max_rate": 3}, "samgis.sources.a.max_rate is unkn"),
        ({"type": "rastr", "path": "a.tif"}, "samgis.sources.a.type is no kind of source"),
        ({"path": "a.tif"}, "samgis.sources.a.type is missing"),
        ({"type": "raster"}, "samgis.sources.a.path: "),
    ],
)
def test_one_mistake_in_a_source_is_one_message(tmp_path, source, says):
    with pytest.raises(ConfigurationError) as refused:
        parse({"default_source": "a", "sources": {"a": source}}, tmp_path)
    assert str(refused.value).startswith(says)
    assert str(refused.value).count("samgis.") == 1


def test_a_source_named_like_a_kind_is_one(tmp_path):
    with pytest.raises(ConfigurationError, match=r"samgis\.sources\.xyz\.max_rat is unknown"):
        parse({"sources": {"xyz": XYZ | {"max_rat": 1}}}, tmp_path)
