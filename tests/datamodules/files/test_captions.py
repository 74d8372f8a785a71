import pytest

from datamodules.errors import DataError
from datamodules.files.image_labels.captions import TABLE, read_captions, write_captions


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.jpg", "in/b c.png"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_what_is_written_is_read_in_its_order(folder):
    rows = [("in/b c.png", 'a photo of a "boat", at sea'), ("a.jpg", "ein Schaf auf der Wiese, schön")]
    write_captions(folder, rows)
    assert read_captions(folder) == [(folder / name, caption) for name, caption in rows]
    assert (folder / TABLE).read_text(encoding="utf-8").startswith("filepath\ttitle\n")


def test_further_columns_other_orders_and_what_spreadsheets_write(folder):
    table = "\ufefftitle\tlikes\tfilepath\r\na sheep\t3\ta.jpg\r\n"
    (folder / TABLE).write_bytes(table.encode())
    assert read_captions(folder) == [(folder / "a.jpg", "a sheep")]
    (folder / TABLE).write_bytes(table[1:].encode("utf-16"))  # which begins with its own mark
    assert read_captions(folder) == [(folder / "a.jpg", "a sheep")]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (None, "no such table; write filepath, a tab and title"),
        ("", "has no column filepath"),
        ("filepath,title\na.jpg,a sheep\n", "has no column filepath; its first line has to be filepath, a tab, title"),
        ("filepath\ta\na.jpg\tsheep\n", "has no column title"),
        ("filepath\ttitle\n", "has no row"),
        ("filepath\ttitle\na.jpg\ta sheep\nd.jpg\ta boat\n", r"line 3: no such picture 'd.jpg' in .*; put it there or"),
        ("filepath\ttitle\n\ta sheep\n", "line 2: no such picture ''"),
        ("filepath\ttitle\na.jpg\t \n", "line 2: a.jpg has no caption"),
        ("filepath\ttitle\na.jpg\n", "line 2: a.jpg has no caption"),
        ("filepath\ttitle\n" + 300 * "a" + "\ta sheep\n", "line 2: no such picture 'aaa"),
        ("filepath\ttitle\na.jpg\t" + 200_000 * "a" + "\n", "line 2: field larger than field limit .*; mend or drop"),
    ],
)
def test_each_fault_of_a_table_in_one_line(folder, table, fault):
    if table is not None:
        (folder / TABLE).write_text(table)
    with pytest.raises(DataError, match=fault) as raised:
        read_captions(folder)
    assert "\n" not in str(raised.value) and TABLE in str(raised.value)


def test_a_table_in_another_encoding(folder):
    (folder / TABLE).write_bytes("filepath\ttitle\na.jpg\tschön\n".encode("cp1252"))
    with pytest.raises(DataError, match=TABLE):
        read_captions(folder)
