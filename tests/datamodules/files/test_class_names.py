import pytest

from datamodules.errors import DataError
from datamodules.files.class_names import folder_class_names


@pytest.mark.parametrize("text", ["cup\nteddy bear\n", "background\ncup\n\n teddy bear", "\ufeffcup\r\nteddy bear\r\n"])
def test_background_is_put_in_front_of_the_class_names(tmp_path, text):
    (tmp_path / "classes.txt").write_text(text)
    assert folder_class_names(tmp_path) == ("background", "cup", "teddy bear")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, r"classes\.txt: no such file; write the class names"),
        ("", "background first"),
        ("a\na\n", "each class once"),
    ],
)
def test_class_names_that_cannot_be(tmp_path, text, complaint):
    if text is not None:
        (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(DataError, match=complaint):
        folder_class_names(tmp_path)
