import pytest
import yaml
from click.testing import CliRunner

from samgis_process.cli import main
from samgis_process.server.keys import Keyring
from samgis_process.settings import parse


def new(*arguments):
    return CliRunner().invoke(main, ["keys", "new", *arguments])


@pytest.mark.parametrize("name", ["ann", "12345", "ann@example.org", "no"])
@pytest.mark.parametrize("operator", [False, True])
def test_what_is_printed_opens_the_server(name, operator, tmp_path):
    result = new(name, *(["--operator"] if operator else []))
    assert result.exit_code == 0
    key, line = result.stdout.splitlines()
    assert key not in line
    keys = yaml.safe_load(line)
    settings = parse({"access": {"keys": keys}}, tmp_path)
    holder = Keyring(settings.access.keys).holder(key)
    assert (holder.name, holder.is_operator) == (name, operator)


@pytest.mark.parametrize("name", ["", "a b", "-x", "a/b", "x" * 101, "é"])
def test_a_name_that_does_not_do_is_refused(name):
    result = new("--", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "letter or a digit" in result.stderr
