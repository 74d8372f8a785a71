import pytest

from datamodules.errors import DataError
from datamodules.prepare.folder_tables import read_rows, row_faults, table_file

NAMES = ("background", "cup", "teddy bear")
ROWS = [("a.jpg", ["cup", "teddy bear"]), ("shelf/b.png", []), ("c", ["teddy bear"])]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "image,classes\na.jpg,cup;teddy bear\nshelf/b.png,\nc, teddy bear \n"),
        ("labels.csv", "\ufeffimage,camera,classes\r\na.jpg,x,cup;teddy bear\r\nshelf/b.png,,\r\nc,,teddy bear\r\n"),
        ("labels.csv", "image,teddy bear,cup\na.jpg,1,1\nshelf/b.png,0,0\nc,1, 0\n"),
        ("labels.json", '{"a.jpg": ["cup", "teddy bear"], "shelf/b.png": [], "c": ["teddy bear"]}'),
    ],
)
def test_every_form_says_the_same(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_rows(table_file(tmp_path), NAMES) == ROWS


def test_there_is_one_table(tmp_path):
    with pytest.raises(DataError, match=r"labels\.csv and labels\.json: no image labels; write one"):
        table_file(tmp_path)
    for name in ("labels.csv", "labels.json"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match="both are there; remove one"):
        table_file(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("labels.csv", "", r"labels\.csv: no column image"),
        ("labels.csv", "file,classes\na,cup\n", "no column image; line 1 names image and classes"),
        ("labels.csv", "image,cup\na,1\n", "no column teddy bear"),
        ("labels.csv", "image,cup,teddy bear\na,1,yes\n", "a has “yes” in column teddy bear; write 0 or 1"),
        ("labels.csv", "image,cup,teddy bear\na,1\n", "a has “” in column teddy bear"),
        ("labels.json", "{", r"labels\.json: not JSON"),
        ("labels.json", '["a.jpg"]', "write images and lists"),
        ("labels.json", '{"a.jpg": "cup"}', "write images and lists"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path, name, text, complaint):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=complaint) as caught:
        read_rows(tmp_path / name, NAMES)
    assert "\n" not in str(caught.value)


def test_a_table_in_another_encoding_is_named(tmp_path):
    (tmp_path / "labels.csv").write_bytes("image,classes\na,Käfer\n".encode("latin1"))
    with pytest.raises(DataError, match=r"labels\.csv: not UTF-8"):
        read_rows(tmp_path / "labels.csv", NAMES)


def test_all_faults_of_the_rows_are_listed(tmp_path):
    rows = [*ROWS, ("a", ["cup"]), ("d.jpg", ["mug", "cup", "jug"]), ("", [])]
    faults = row_faults(tmp_path / "labels.csv", rows, NAMES, ["a", "b", "c"])
    assert [(fault.kind, fault.name) for fault in faults] == [
        ("row twice", "a"),
        ("row without image", "d.jpg"),
        ("unknown class", "d.jpg"),
        ("unknown class", "d.jpg"),
        ("row without image", ""),
    ]
    assert "d.jpg: class “mug” is none of cup, teddy bear; mend it or add it to classes.txt" in faults[2].text
    assert row_faults(tmp_path, ROWS, NAMES, ["a", "b", "c"]) == []


def test_a_name_given_twice_in_json_is_found(tmp_path):
    (tmp_path / "labels.json").write_text('{"a.jpg": ["cup"], "a.jpg": []}')
    rows = read_rows(tmp_path / "labels.json", NAMES)
    assert [fault.kind for fault in row_faults(tmp_path, rows, NAMES, ["a"])] == ["row twice"]
