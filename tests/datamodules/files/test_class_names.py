import pytest

from datamodules.errors import DataError
from datamodules.files.class_names import checked_names, folder_class_names, read_class_names


@pytest.mark.parametrize("text", ["cup\nteddy bear\n", "background\ncup\n\n teddy bear", "\ufeffcup\r\nteddy bear\r\n"])
def test_background_is_put_in_front_of_the_class_names(tmp_path, text):
    (tmp_path / "classes.txt").write_text(text)
    assert folder_class_names(tmp_path) == ("background", "cup", "teddy bear")


def test_class_names_that_only_begin_like_what_is_no_class_may_be(tmp_path):
    (tmp_path / "classes.txt").write_text("background noise\nignored sign\nvoid\n")
    assert folder_class_names(tmp_path)[1:] == ("background noise", "ignored sign", "void")


def test_what_is_no_class_is_named_and_the_others_are_known(tmp_path):
    (tmp_path / "classes.txt").write_text("__ignore__\n_background_\ncup\nlamp\n")
    names, faults = read_class_names(tmp_path)
    assert names == ("background", "cup", "lamp")
    assert [(fault.kind, fault.name) for fault in faults] == [("no class", "__ignore__"), ("no class", "_background_")]


def test_the_names_of_a_yaml_are_looked_at_too():
    with pytest.raises(DataError, match=r"data\.class_names: “_Background_” is no class"):
        checked_names(["background", "cup", "_Background_"])


@pytest.mark.parametrize(("encoding", "read"), [("utf-8-sig", True), ("utf-16", True), ("cp1252", False)])
def test_encodings_of_windows_are_read_or_named(tmp_path, encoding, read):
    (tmp_path / "classes.txt").write_text("Größe\n", encoding=encoding)
    if read:
        assert folder_class_names(tmp_path) == ("background", "Größe")
    else:
        with pytest.raises(DataError, match=r"classes\.txt: not UTF-8; save it as UTF-8$"):
            folder_class_names(tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, r"classes\.txt: no such file; write the class names"),
        ("", "names no class"),
        ("a\na\n", r"classes\.txt: “a” is there twice; name each class once"),
        ("__ignore__\n_background_\ncup\n", r"classes\.txt: “__ignore__” is no class, ignored .*\(1 more like it\)$"),
        ("Background\ncup\n", r"“Background” is no class, the background is 0 and added by itself; remove the line"),
        ("background\nBG\ncup\n", "“BG” is no class"),
        ("cup\nUn-labelled\n", "“Un-labelled” is no class"),
    ],
)
def test_class_names_that_cannot_be(tmp_path, text, complaint):
    if text is not None:
        (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(DataError, match=complaint):
        folder_class_names(tmp_path)
