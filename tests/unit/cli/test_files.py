"""Files of commands are whole or not there."""

import pytest

from samgis_process.cli.files import put
from samgis_process.errors import NoRoom


def test_a_file_replaces_what_was_there(tmp_path):
    path = tmp_path / "new" / "a.tif"
    put(path, b"one")
    put(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken.tif").mkdir()
    with pytest.raises(NoRoom, match=r"taken\.tif cannot be written"):
        put(tmp_path / "taken.tif", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.tif"]
