"""An import as a folder of one's own: found images, tables that are there already, the command."""

import pytest

from datamodules.errors import DataError
from datamodules.prepare.imports.importing import import_folder
from mars_pl.cli.main import main
from tests.datamodules.prepare.imports.exports import image, result, table, task, written


@pytest.fixture
def source(tmp_path):
    image(tmp_path / "export/a.jpg")
    return written(tmp_path / "export/tasks.json", [task("x/a.jpg", result("choices", "cat"))])


def test_a_second_import_of_the_same_changes_nothing(tmp_path, source):
    for _ in range(2):
        import_folder(tmp_path / "own", source)
    assert table(tmp_path / "own") == {"a.jpg": ["cat"]}
    assert (tmp_path / "own/images/a.jpg").samefile(tmp_path / "export/a.jpg"), "no second copy of the pixels"


def test_tables_of_ones_own_are_not_overwritten(tmp_path, source):
    written(tmp_path / "own/labels.csv", "image,classes\na.jpg,dog\n")
    with pytest.raises(DataError, match=r"own/labels\.csv: says something else than .*tasks\.json; move it away"):
        import_folder(tmp_path / "own", source)
    assert not (tmp_path / "own/images").exists(), "nothing is written before all is looked over"


def test_an_image_that_is_missing_is_named_with_where_it_was_looked_for(tmp_path):
    source = written(tmp_path / "export/tasks.json", [task("x/b.jpg", result("choices", "cat"))])
    with pytest.raises(DataError, match=r"x/b\.jpg: no such image below .*own/images or .*export; put it there"):
        import_folder(tmp_path / "own", source)


def test_two_images_of_one_name_are_refused(tmp_path):
    for folder in ("x", "y"):
        image(tmp_path / f"export/{folder}/a.jpg")
    tasks = [task(f"{folder}/a.jpg", result("choices", "cat")) for folder in ("x", "y")]
    with pytest.raises(DataError, match=r"y/a\.jpg: called like .*x/a\.jpg; each image needs a name of its own"):
        import_folder(tmp_path / "own", written(tmp_path / "export/tasks.json", tasks))


def test_another_image_that_lies_there_is_not_overwritten(tmp_path, source):
    image(tmp_path / "own/images/sub/a.jpg", 9)
    image(tmp_path / "own/images/a.jpg", 7, (3, 3))
    other = image(tmp_path / "other/a.jpg", 200)
    with pytest.raises(DataError, match=r"own/images/a\.jpg: is there and another image than "):
        import_folder(tmp_path / "own", source, images=other.parent)


def test_a_background_among_the_classes_is_refused(tmp_path, source):
    written(source, [task("a.jpg", result("choices", "background"))])
    with pytest.raises(DataError, match="background"):
        import_folder(tmp_path / "own", source)


def test_the_command_imports_and_prepares(tmp_path, source, capsys):
    assert main(["data", "folder", str(tmp_path / "own"), "--from", str(source)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{source}: label-studio, 1 images, 0 masks", "cat 1", f"{tmp_path}/own: 1 images in train"]
    assert main(["data", "folder", str(tmp_path / "own"), "--kind", "cvat"]) == 1
    assert "--kind and --images are of an export; --from names it" in capsys.readouterr().err
    assert main(["data", "folder", str(tmp_path / "own"), "--from", str(source), "--kind", "yolo"]) == 1
    assert "tasks.json: no folder, which yolo is; name another" in capsys.readouterr().err
