"""Exports of YOLO, Label Studio, CVAT and COCO's JSON, and what is wrong with them, in one line."""

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.prepare.folder import prepare_folder
from datamodules.prepare.imports.importing import import_folder
from datamodules.prepare.imports.kinds import kind_of, read_export
from tests.datamodules.prepare.imports.exports import image, mask, result, table, task, written

CORNERS = [[0, 0], [50, 0], [50, 100], [0, 100]]
"""The left half, in per cent."""


def refused(source, kind=None):
    with pytest.raises(DataError) as caught:
        read_export(source, kind)
    assert str(source).split("/")[-1] in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


class TestClassFolders:
    def test_folders_name_the_classes_and_val_becomes_a_list(self, tmp_path):
        image(tmp_path / "set/train/cat/a.jpg", 1)
        image(tmp_path / "set/train/dog/b.jpg", 2)
        image(tmp_path / "set/train/dog/a.jpg", 1)
        image(tmp_path / "set/valid/dog/c.jpg", 3)
        found = import_folder(tmp_path / "own", tmp_path / "set")
        assert (found.kind, found.images, found.masks) == ("class-folders", 3, 0)
        assert table(tmp_path / "own") == {"a.jpg": ["cat", "dog"], "b.jpg": ["dog"], "c.jpg": ["dog"]}
        assert found.shown == {"cat": 1, "dog": 3}
        prepare_folder(tmp_path / "own")
        lists = tmp_path / "own/ImageSets/Segmentation"
        assert (lists / "val.txt").read_text() == "c\n" and (lists / "train.txt").read_text() == "a\nb\n"

    def test_images_that_lie_in_the_folder_already_stay_where_they_are(self, tmp_path):
        image(tmp_path / "own/images/cat/a.jpg", 1)
        image(tmp_path / "own/images/dog/b.jpg", 2)
        import_folder(tmp_path / "own", tmp_path / "own/images")
        assert table(tmp_path / "own") == {"cat/a.jpg": ["cat"], "dog/b.jpg": ["dog"]}
        assert sorted(path.name for path in (tmp_path / "own/images").iterdir()) == ["cat", "dog"]
        prepare_folder(tmp_path / "own")

    def test_other_images_of_one_name_and_images_without_a_class(self, tmp_path):
        image(tmp_path / "set/cat/a.jpg", 1)
        image(tmp_path / "set/dog/a.jpg", 200)
        with pytest.raises(DataError, match=r"dog/a\.jpg: called like .*cat/a\.jpg and another image; rename"):
            read_export(tmp_path / "set")
        image(tmp_path / "other/a.jpg")
        with pytest.raises(DataError, match=r"other/a\.jpg: lies in no folder of a class"):
            read_export(tmp_path / "other")
        assert "no images" in refused(written(tmp_path / "none/a.md", "").parent)


class TestYOLO:
    def test_boxes_are_labels_and_polygons_are_masks(self, tmp_path):
        for name in "abc":
            image(tmp_path / f"set/images/train/{name}.jpg")
        written(tmp_path / "set/data.yaml", "names: [cat, dog]\nval: images/val\n")
        written(tmp_path / "set/labels/train/a.txt", "1 0 0 .5 0 .5 1 0 1\n")
        written(tmp_path / "set/labels/train/b.txt", "0 .5 .5 .2 .2\n1 0 0 .5 0 .5 1 0 1\n")
        found = import_folder(tmp_path / "own", tmp_path / "set")
        assert (found.kind, found.masks) == ("yolo", 1)
        assert table(tmp_path / "own") == {"a.jpg": ["dog"], "b.jpg": ["cat", "dog"], "c.jpg": []}
        expected = np.zeros((8, 10), np.uint8)
        expected[:, :5] = 2
        assert np.array_equal(mask(tmp_path / "own", "a"), expected)

    def test_text_files_beside_images_and_a_list_of_names(self, tmp_path):
        image(tmp_path / "set/a.png")
        written(tmp_path / "set/classes.txt", "cat\ndog\n")
        written(tmp_path / "set/a.txt", "1 .5 .5 .2 .2")
        import_folder(tmp_path / "own", tmp_path / "set")
        assert table(tmp_path / "own") == {"a.png": ["dog"]}
        assert (tmp_path / "own/classes.txt").read_text() == "cat\ndog\n"

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("2 .5 .5 .2 .2", "line 1 is of class 2, there are 2, from 0"),
            ("0.5 .5 .5 .2 .2", "line 1 is of class 0.5"),
            ("\n0 .5 .5 .2", "line 2 has 4 numbers"),
            ("cat .5 .5 .2 .2", "line 1 is no row of numbers"),
            ("0 250 .5 .2 .2", "line 1 has corners beyond the image"),
            ("0 nan .5 .2 .2", "line 1 has corners beyond the image"),
        ],
    )
    def test_lines_that_are_none(self, tmp_path, line, said):
        image(tmp_path / "set/a.jpg")
        written(tmp_path / "set/classes.txt", "cat\ndog\n")
        written(tmp_path / "set/a.txt", line)
        with pytest.raises(DataError, match=r"set/a\.txt: ") as caught:
            read_export(tmp_path / "set")
        assert said in str(caught.value)

    @pytest.mark.parametrize("text", ["nc: 2", "names: []", "names: {0: cat, 2: dog}", "names: [cat, cat]", "names: ["])
    def test_names_that_are_none(self, tmp_path, text):
        image(tmp_path / "set/a.jpg")
        written(tmp_path / "set/data.yaml", text)
        with pytest.raises(DataError, match=r"set/data\.yaml: "):
            read_export(tmp_path / "set")


class TestLabelStudio:
    def test_choices_rectangles_and_brushes_are_labels(self, tmp_path):
        for name in "abcd":
            image(tmp_path / f"photographs/{name}.jpg")
        tasks = [
            task("/data/upload/1/0a1b2c3d-a.jpg", result("choices", "cat"), result("rectanglelabels", "dog", x=1)),
            task("/data/local-files/?d=photographs%2Fb.jpg", result("brushlabels", "dog", format="rle")),
            task("c.jpg", result("choices", "cat"), was_cancelled=True),
            task("s3://bucket/d.jpg"),
        ]
        source = written(tmp_path / "tasks.json", tasks)
        found = import_folder(tmp_path / "own", source, images=tmp_path / "photographs")
        assert (found.kind, found.images, found.masks, found.skipped) == ("label-studio", 3, 0, 1)
        assert table(tmp_path / "own") == {"a.jpg": ["cat", "dog"], "b.jpg": ["dog"], "d.jpg": []}

    def test_polygons_alone_are_masks(self, tmp_path):
        image(tmp_path / "a.jpg")
        source = written(tmp_path / "t.json", [task("a.jpg", result("polygonlabels", "cat", points=CORNERS))])
        assert import_folder(tmp_path / "own", source).masks == 1
        assert (mask(tmp_path / "own", "a")[:, :5] == 1).all() and (mask(tmp_path / "own", "a")[:, 5:] == 0).all()

    def test_the_short_form(self, tmp_path):
        tasks = [
            {"image": "a.jpg", "choice": "cat", "annotator": 1},
            {"image": "b.jpg", "choice": {"choices": ["cat", "dog"]}},
            {"image": "c.jpg", "label": [{"x": 1, "rectanglelabels": ["dog"]}]},
            {"image": "d.jpg", "id": 4},
        ]
        _, export = read_export(written(tmp_path / "t.json", tasks))
        assert [image.names for image in export.images] == [("cat",), ("cat", "dog"), ("dog",)]
        assert export.skipped == 1

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ([{"id": 1, "annotations": [{"result": []}], "data": {}}], "task 1 names no image"),
            ([3], "task 1 is no table"),
            ([task("a.jpg")], "no task has a choice or a label"),
            ("[", "not JSON"),
            ([{"id": 1, "data": 3}], "no task has"),
            ([task("a.jpg", result("choices", "a\nb"))], "a class is no name"),
        ],
    )
    def test_what_is_none(self, tmp_path, content, said):
        assert said in refused(written(tmp_path / "t.json", content))


CVAT = """<annotations><meta><task><labels><label><name>dog</name></label><label><name>cat</name></label></labels>
</task></meta><image name="sub/a.jpg"><polygon label="cat" points="0,0;10,0;10,8;0,8" z_order="0"/>
<polygon label="dog" points="0,0;5,0;5,8;0,8" z_order="1"/><tag label="dog"/></image>
<image name="b.jpg" subset="Validation"><box label="dog" xtl="1"/><polygon label="cat" points="0,0;5,0;5,8"/></image>
<image name="c.jpg"/></annotations>"""


class TestCVAT:
    def test_tags_boxes_and_polygons(self, tmp_path):
        image(tmp_path / "sub/a.jpg")
        image(tmp_path / "b.jpg")
        found = import_folder(tmp_path / "own", written(tmp_path / "annotations.xml", CVAT))
        assert (found.kind, found.images, found.masks, found.skipped) == ("cvat", 2, 1, 1)
        assert table(tmp_path / "own") == {"a.jpg": ["cat", "dog"], "b.jpg": ["dog", "cat"]}
        assert (tmp_path / "own/classes.txt").read_text() == "dog\ncat\n", "in the order of the task's labels"
        assert (mask(tmp_path / "own", "a")[:, :5] == 1).all() and (mask(tmp_path / "own", "a")[:, 5:] == 2).all()
        assert (tmp_path / "own/val.txt").read_text() == "b.jpg\n"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("<annotations>", "not XML"),
            ("<annotations/>", "no annotated <image>"),
            ("<a><image name='a.jpg'><tag/></image></a>", "a.jpg: a label is no name"),
            ("<a><image><tag label='x'/></image></a>", "an image's name is no name"),
            ("<a><image name='a.jpg'><polygon label='x' points='0,0;1'/></image></a>", "points are no corners"),
            ("<a><image name='a.jpg'><polygon label='x' points='0,0;1,nan;2,2'/></image></a>", "points are no corners"),
        ],
    )
    def test_what_is_none(self, tmp_path, text, said):
        assert said in refused(written(tmp_path / "annotations.xml", text))


def coco(**changes):
    content = {
        "images": [{"id": 5, "file_name": "a.jpg", "height": 8, "width": 10}, {"id": 6, "file_name": "b.jpg"}],
        "categories": [{"id": 9, "name": "dog"}, {"id": 0, "name": "pets"}, {"id": 7, "name": "cat"}],
        "annotations": [
            {"image_id": 5, "category_id": 9, "segmentation": [[0, 0, 5, 0, 5, 8, 0, 8]]},
            {"image_id": 6, "category_id": 7, "bbox": [0, 0, 1, 1]},
        ],
    }
    content["categories"][0]["supercategory"] = "pets"
    return content | changes


class TestCOCO:
    def test_own_categories_and_masks_where_there_are_shapes(self, tmp_path):
        image(tmp_path / "a.jpg")
        image(tmp_path / "b.jpg")
        found = import_folder(tmp_path / "own", written(tmp_path / "instances.json", coco()))
        assert (found.kind, found.masks, found.shown) == ("coco", 1, {"cat": 1, "dog": 1})
        assert table(tmp_path / "own") == {"a.jpg": ["dog"], "b.jpg": ["cat"]}
        assert (mask(tmp_path / "own", "a")[:, :5] == 2).all()

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"categories": None}, "no list of categories"),
            ({"images": [3]}, "no list of images"),
            ({"annotations": [{"image_id": 5, "category_id": 3}]}, "category 3 is none of the file's"),
            ({"annotations": [{"image_id": 77, "category_id": 7}]}, "an annotation is of image 77"),
            ({"images": [{"id": 5, "file_name": 3}]}, "an image's file_name is no name but '3'"),
            ({"images": [{"id": "5", "file_name": "a.jpg"}]}, "a.jpg: its id is no whole number"),
            ({"categories": [{"id": 1, "name": "x"}, {"id": 2, "name": "x"}]}, "two of one name"),
            ({"annotations": [{"image_id": 5, "category_id": 7, "segmentation": [[1, 2, 3]]}]}, "a.jpg: a polygon"),
        ],
    )
    def test_what_is_none(self, tmp_path, changes, said):
        assert said in refused(written(tmp_path / "instances.json", coco(**changes)))


def test_the_kind_is_told_by_the_content(tmp_path):
    assert kind_of(written(tmp_path / "a.json", [])) == "label-studio"
    assert kind_of(written(tmp_path / "a.json", {})) == "coco"
    assert kind_of(written(tmp_path / "a.xml", "")) == "cvat"
    assert kind_of(written(tmp_path / "folders/cat/a.md", "").parents[1]) == "class-folders"
    assert kind_of(written(tmp_path / "yolo/labels/a.txt", "").parents[1]) == "yolo"
    for name, said in (("a.zip", "unpack it"), ("a.csv", "say one: class-folders, yolo")):
        with pytest.raises(DataError, match=said):
            kind_of(written(tmp_path / name, ""))
    with pytest.raises(DataError, match="nothing: no such export"):
        kind_of(tmp_path / "nothing")
