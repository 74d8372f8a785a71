import time
import unicodedata
from pathlib import Path

import pytest

from datamodules.errors import DataError
from datamodules.files.image_list import bare_id, is_hidden, read_ids


def test_bare_ids_and_paths_in_the_lists_order(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("b.1\n\n/JPEGImages/a.jpg /SegmentationClassAug/a.png\nCOCO_train2014_000000000009 \n")
    assert read_ids(path) == ["b.1", "a", "COCO_train2014_000000000009"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [(None, "no such list"), ("\n", "the list is empty"), ("a\nb\na\n", "a is listed more than once")],
)
def test_what_is_wrong_with_a_list_is_told(tmp_path, text, complaint):
    if text is not None:
        (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match=rf"list\.txt: {complaint}"):
        read_ids(tmp_path / "list.txt")


@pytest.mark.parametrize(
    ("line", "image_id"),
    [
        ("2008_000001", "2008_000001"),
        ("WhatsApp Image 2024-01.jpg", "WhatsApp Image 2024-01"),
        ("IMG (1)", "IMG (1)"),
        ("  IMG 1  ", "IMG 1"),
        ('"my photo"', "my photo"),
        ('"my photo" 1', "my photo"),
        ("/JPEGImages/my photo.jpg /SegmentationClassAug/my photo.png", "my photo"),
        ("a.JPG 1 0 0", "a"),
        ("2008_000001 -1", "2008_000001"),
        ("2008_000001  1", "2008_000001"),
        ("JPEGImages\\a.jpg\tSegmentationClass\\a.png", "a"),
        ("shelf\\p0.jpg", "p0"),
        ("a.png.jpg", "a"),
    ],
)
def test_lines_as_others_write_them(tmp_path, line, image_id):
    (tmp_path / "list.txt").write_text(f"{line}\nlast\n")
    assert read_ids(tmp_path / "list.txt") == [image_id, "last"]


def test_a_known_id_is_not_taken_apart(tmp_path):
    (tmp_path / "list.txt").write_text("IMG  1\na.jpg b.jpg\n2008 -1\n")
    assert read_ids(tmp_path / "list.txt") == ["IMG", "a", "2008"]
    known = {"IMG  1", "a.jpg b", "2008 -1"}
    assert read_ids(tmp_path / "list.txt", known) == ["IMG  1", "a.jpg b", "2008 -1"]


@pytest.mark.parametrize(
    "name", ["p.jpg", "p.png.jpg", "p.JPG.jpg", "a b.webp", "p .jpg", ".jpg", "ü.tif", "a\\b.bmp", "v1.2"]
)
def test_an_id_that_is_read_again_stays_what_it_is(name):
    image_id = bare_id(name)
    assert image_id and bare_id(image_id) == image_id and bare_id(f"{image_id}.png") == image_id


def test_a_macs_spelling_is_the_others():
    assert bare_id(unicodedata.normalize("NFD", "Größe.jpg")) == unicodedata.normalize("NFC", "Größe")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_the_marks_of_windows_programs_are_no_part_of_the_first_id(tmp_path, encoding):
    (tmp_path / "list.txt").write_text("a\r\nb\r\n", encoding=encoding)
    if encoding == "utf-16-le":  # without its mark
        with pytest.raises(DataError, match=r"list\.txt: not UTF-8; save it as UTF-8"):
            read_ids(tmp_path / "list.txt")
    else:
        assert read_ids(tmp_path / "list.txt") == ["a", "b"]


def test_many_ids_listed_twice_are_found_at_once(tmp_path):
    ids = "".join(f"image{number}\n" for number in range(20_000))
    (tmp_path / "list.txt").write_text(ids + ids)
    began = time.perf_counter()
    with pytest.raises(DataError, match=r"image0 is listed more than once; .* \(19999 more like it\)$"):
        read_ids(tmp_path / "list.txt")
    assert time.perf_counter() - began < 5


def test_hidden_files():
    assert [is_hidden(Path(name)) for name in ("._p.jpg", ".thumbs/p.jpg", "a/._p.jpg", "a/p.jpg")] == [True] * 3 + [
        False
    ]


def test_a_list_is_parted_at_every_end_of_a_line_that_text_knows(tmp_path):
    (tmp_path / "list.txt").write_bytes("a\rb\r\nc\n\nd\u2028e\x0bf".encode())
    assert read_ids(tmp_path / "list.txt") == list("abcdef")


@pytest.mark.parametrize("bad", [b"\xff", b"\0"])
def test_another_encoding_is_met_wherever_it_begins(tmp_path, bad):
    (tmp_path / "list.txt").write_bytes(b"a\n" * 100_000 + bad)
    with pytest.raises(DataError, match=r"list\.txt: not UTF-8; save it as UTF-8"):
        read_ids(tmp_path / "list.txt")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.png.jpg", "a.jpg.png", "a", "a.JPG", "x/a.jpg"])
def test_plain_names_are_no_exception(name):
    assert bare_id(name) == "a"
