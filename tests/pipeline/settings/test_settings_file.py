import pytest

from datamodules.errors import DataError
from mars_pl.pipeline.settings.settings_file import read_settings


@pytest.mark.parametrize(
    ("text", "keys", "held"),
    [
        ("data: {init_args: {root: a}}", (), {"data": {"init_args": {"root": "a"}}}),
        ("data: {init_args: {root: a}}", ("data", "init_args"), {"root": "a"}),
        ("data:", ("data", "init_args"), {}),
        ("# nothing but a comment", ("data",), {}),
    ],
)
def test_what_lies_under_the_keys_is_read(tmp_path, text, keys, held):
    (tmp_path / "a.yaml").write_text(text)
    assert read_settings(tmp_path / "a.yaml", *keys) == held


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"data: [voc", r"a\.yaml: is no YAML \(.*line \d, column \d+.*\); mend it there"),
        (b"data: \xff", r"a\.yaml: is no YAML"),
        (b"- data\n- model\n", r"a\.yaml: holds no settings; write names with their values"),
        (b"voc", r"a\.yaml: holds no settings;"),
        (b"data: [voc]", r"a\.yaml: holds no settings under data;"),
        (b"data: {init_args: 3}", r"a\.yaml: holds no settings under data\.init_args;"),
    ],
)
def test_what_is_no_configuration_is_told_in_one_line(tmp_path, content, complaint):
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(DataError, match=complaint) as caught:
        read_settings(tmp_path / "a.yaml", "data", "init_args")
    assert "\n" not in str(caught.value)
