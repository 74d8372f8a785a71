import pytest

from datamodules.errors import DataError
from mars_pl.commands.json_files import read_json, write_json


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "new" / "row.json"
    write_json(path, {"miou": 0.5, "class": "Kühe", "fp": None})
    assert read_json(path) == {"miou": 0.5, "class": "Kühe", "fp": None}
    assert "Kühe" in path.read_text(encoding="utf-8")


def test_a_number_that_is_none_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "row.json", {"miou": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_missing_or_no_json_is_named(tmp_path):
    with pytest.raises(DataError, match=r"row\.json: no such file; has the stage"):
        read_json(tmp_path / "row.json")
    (tmp_path / "row.json").write_text("{")
    with pytest.raises(DataError, match=r"row\.json: is no JSON .*; delete it"):
        read_json(tmp_path / "row.json")
