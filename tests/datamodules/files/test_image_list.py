import pytest

from datamodules.errors import DataError
from datamodules.files.image_list import read_ids


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
