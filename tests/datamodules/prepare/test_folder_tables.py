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
        ("labels.csv", "Image, Classes\na.jpg, cup;teddy bear\nshelf/b.png,,,\n\nc,teddy bear\n"),
        ("labels.csv", 'image, classes\na.jpg, "cup;teddy bear"\nshelf/b.png,""\nc,"teddy bear",\n'),
        ("labels.csv", "image,teddy bear,cup\na.jpg,1,1\nshelf/b.png,0,0\nc,1, 0\n"),
        ("labels.json", '{"a.jpg": ["cup", "teddy bear"], "shelf/b.png": [], "c": ["teddy bear"]}'),
    ],
)
def test_every_form_says_the_same(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_rows(table_file(tmp_path), NAMES) == (ROWS, [])


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
        ("labels.csv", "file,classes\na,cup\n", "no column image but file and classes; line 1 names image and"),
        (
            "labels.csv",
            "image;classes\na.jpg;cup\n",
            "no column image but image;classes; line 1 .* with commas between them",
        ),
        ("labels.csv", "image\tclasses\na.jpg\tcup\n", "no column image but image.classes; line 1"),
        ("labels.csv", "image,cup,cup,teddy bear\na,1,0,0\n", "column cup is there more than once; keep one"),
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
    rows, (fault,) = read_rows(tmp_path / "labels.csv", NAMES)
    assert rows == [("a", ["Käfer"])] and fault.text.endswith("labels.csv: not UTF-8; save it as UTF-8")
    (tmp_path / "labels.csv").write_text("image,classes\na,cup\n", encoding="utf-16-le")
    with pytest.raises(DataError, match=r"labels\.csv: "):
        read_rows(tmp_path / "labels.csv", NAMES)


def test_a_cell_beyond_all_bounds_is_one_line(tmp_path):
    with pytest.raises(DataError, match=r"labels\.csv: not CSV \(field larger than field limit"):
        read_rows(written(tmp_path, f"image,classes\na,{'x' * 200_000}\n"), NAMES)


def test_all_faults_of_the_rows_are_listed(tmp_path):
    rows = [*ROWS, ("a", ["cup"]), ("d.jpg", ["mug", "cup", "jug"]), ("", [])]
    faults = row_faults(tmp_path / "labels.csv", rows, NAMES, ["a", "b", "c"], {})
    assert [(fault.kind, fault.name) for fault in faults] == [
        ("row twice", "a"),
        ("row without image", "d.jpg"),
        ("unknown class", "d.jpg"),
        ("unknown class", "d.jpg"),
        ("row without image", ""),
    ]
    assert "d.jpg: class “mug” is none of cup, teddy bear; mend it or add it to classes.txt" in faults[2].text
    assert row_faults(tmp_path, ROWS, NAMES, ["a", "b", "c"], {}) == []


def test_a_name_given_twice_in_json_is_found(tmp_path):
    (tmp_path / "labels.json").write_text('{"a.jpg": ["cup"], "a.jpg": []}')
    rows, _ = read_rows(tmp_path / "labels.json", NAMES)
    assert [fault.kind for fault in row_faults(tmp_path, rows, NAMES, ["a"], {})] == ["row twice"]


def faults_of(tmp_path, text):
    (tmp_path / "labels.csv").write_text(text)
    return [(fault.kind, fault.name) for fault in read_rows(tmp_path / "labels.csv", NAMES)[1]]


def test_a_row_that_would_lose_a_class_is_named(tmp_path):
    more = "row of more cells than columns"
    assert faults_of(tmp_path, "image,classes\na,cup,teddy bear\nb,cup\nc,cup,,\n") == [(more, "a")]
    assert faults_of(tmp_path, "image,cup,teddy bear\na,1,0,1\n") == [(more, "a")]
    assert faults_of(tmp_path, "image,classes\na\nb,\n") == [("row without classes", "a")]
    _, (fault,) = read_rows(written(tmp_path, "image,classes\na,cup,teddy bear\n"), NAMES)
    assert fault.text.endswith("a: 3 cells, line 1 names 2 columns; write ; between the classes, as in cup;teddy bear")


def written(tmp_path, text):
    (tmp_path / "labels.csv").write_text(text)
    return tmp_path / "labels.csv"


def test_a_column_of_0_and_1_that_is_no_class_is_named(tmp_path):
    wide = "image,cup,teddy bear,dog,note,seen\na,1,0,1,1,x\nb,0,0,0,1,0\n"
    assert faults_of(tmp_path, wide) == [("column of no class", "dog")], "the others say something else"
    assert faults_of(tmp_path, "image,classes,checked\na,cup,1\nb,,0\n") == []


def test_a_row_for_a_file_that_is_not_read_says_so(tmp_path):
    unread = {"p": "images/p.heic"}
    for name in ("p.heic", "p.jpg", "p"):
        (fault,) = row_faults(tmp_path / "labels.csv", [(name, [])], NAMES, ["a"], unread)
        assert f"{name}: images/p.heic is there but not read; save it as one of .jpg" in fault.text


def test_rows_of_nothing_are_passed_over_and_a_quotation_mark_that_is_not_closed_is_named(tmp_path):
    assert faults_of(tmp_path, "image,classes\na,cup\n\n  \n,\n,,,\n") == []
    table = written(tmp_path, 'image,classes\na,cup\n"b,cup\nc,teddy bear\nd,cup\n')
    rows, (fault,) = read_rows(table, NAMES)
    assert rows == [("a", ["cup"])] and fault.kind == "row of several lines"
    assert fault.text.endswith("the row that begins “b,cup” goes over several lines; close its quotation marks")
