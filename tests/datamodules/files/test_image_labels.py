from collections import OrderedDict

import numpy as np
import pytest
import torch

from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.image_labels import from_cls_labels, read_image_labels
from tests.fakes.fake_tree import CLASSES, make_voc_tree

NAMES = ("background", *CLASSES)
VOC = CLASS_NAMES["voc"]


@pytest.mark.parametrize("source", ["xml", "npy", "npy_str"])
def test_every_source_says_the_same(tmp_path, source):
    ids = make_voc_tree(tmp_path, 4, image_labels=source)
    labels = read_image_labels(tmp_path, ids, VOC)
    assert [labels[place].tolist() for place in range(4)] == [[1], [2], [1, 3], [1]]
    vector = labels.vector(2)
    assert vector.tolist() == [1, 0, 1] + [0] * 17 and vector.dtype == np.float32


def annotation(tmp_path, text):
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations" / "a.xml").write_text(text)
    return read_image_labels(tmp_path, ["a"], NAMES).vector(0).tolist()


def test_parts_of_a_body_are_no_objects(tmp_path):
    part = "<part><name>head</name></part>"
    assert annotation(tmp_path, f"<annotation><object>{part}<name>bird</name></object></annotation>") == [0, 0, 1]


def test_difficult_objects_and_repeats_count_once(tmp_path):
    one = "<object><name>bicycle</name><difficult>1</difficult></object>"
    assert annotation(tmp_path, f"<annotation>{one}{one}</annotation>") == [0, 1, 0]


def test_an_image_may_show_no_class(tmp_path):
    assert annotation(tmp_path, "<annotation><folder>VOC2012</folder></annotation>") == [0, 0, 0]


def test_an_unknown_name_is_told(tmp_path):
    with pytest.raises(DataError, match=r"a\.xml: class “unicorn” is none of aeroplane, bicycle, bird"):
        annotation(tmp_path, "<annotation><object><name>unicorn</name></object></annotation>")


def test_background_is_no_image_label(tmp_path):
    with pytest.raises(DataError, match="background"):
        annotation(tmp_path, "<annotation><object><name>background</name></object></annotation>")


def test_a_damaged_annotation_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a\.xml: not an XML"):
        annotation(tmp_path, "<annotation><object>")


def test_missing_annotations_are_counted(tmp_path):
    ids = make_voc_tree(tmp_path, 4)
    for image_id in ids[1:3]:
        (tmp_path / "Annotations" / f"{image_id}.xml").unlink()
    with pytest.raises(DataError, match=rf"{ids[1]}\.xml: no image label for {ids[1]} and 1 more"):
        read_image_labels(tmp_path, ids, NAMES)


def test_no_source_at_all_is_told_and_may_be_wanted(tmp_path):
    ids = make_voc_tree(tmp_path, 2, image_labels="none")
    with pytest.raises(DataError, match=r"Annotations: no image labels.*cls_labels\.npy"):
        read_image_labels(tmp_path, ids, NAMES)
    assert read_image_labels(tmp_path, ids, NAMES, "none") is None


def test_a_source_can_be_chosen(tmp_path):
    ids = make_voc_tree(tmp_path, 2)
    make_voc_tree(tmp_path, 2, image_labels="npy", vector=3)
    (tmp_path / "Annotations" / f"{ids[0]}.xml").write_text("<annotation/>")
    assert read_image_labels(tmp_path, ids, NAMES).vector(0).tolist() == [1, 0, 0]
    assert read_image_labels(tmp_path, ids, NAMES, "xml").vector(0).tolist() == [0, 0, 0]


def table(tmp_path, content):
    np.save(tmp_path / "cls_labels.npy", np.array(content, dtype=object), allow_pickle=True)
    return from_cls_labels(tmp_path / "cls_labels.npy", ["2007_000063"], 3)


def test_an_image_missing_from_the_table_is_told(tmp_path):
    with pytest.raises(DataError, match=r"no image label for 2007_000063, its names are like 2007000064;"):
        table(tmp_path, {2007000064: np.zeros(3)})


@pytest.mark.parametrize(
    ("vector", "fault"),
    [
        (np.zeros(20), "shape"),
        ("a vector", "shape"),
        ({"a": 1}, "shape"),
        (np.array([0, 2, 0]), "more than zeros and ones"),
        (np.array([0, np.nan, 0]), "more than zeros and ones"),
    ],
)
def test_an_odd_vector_is_told(tmp_path, vector, fault):
    with pytest.raises(DataError, match=rf"cls_labels\.npy: .*2007_000063.*{fault}|2007_000063 has {fault}"):
        table(tmp_path, {"2007_000063": vector})


@pytest.mark.parametrize(
    "content",
    [
        {"2007_000063.jpg": np.array([1, 0, 1])},
        {"2007000063": np.array([1, 0, 1])},
        OrderedDict({"2007_000063": np.array([1, 0, 1], dtype=bool)}),
        {"2007_000063": torch.tensor([1.0, 0.0, 1.0])},
        {np.str_("2007_000063"): [1, 0, 1]},
    ],
)
def test_tables_as_others_write_them(tmp_path, content):
    assert table(tmp_path, content).vector(0).tolist() == [1, 0, 1]


def test_a_key_that_is_the_id_comes_before_one_that_only_looks_like_it(tmp_path):
    content = {"2007_000063.jpg": np.zeros(3), "2007_000063": np.ones(3)}
    assert table(tmp_path, content).vector(0).tolist() == [1, 1, 1]


@pytest.mark.parametrize("mark", ["", ' xmlns="http://example.org/labels"'])
def test_a_namespace_hides_no_object(tmp_path, mark):
    assert annotation(tmp_path, f"<annotation{mark}><object><name>bird</name></object></annotation>") == [0, 0, 1]


def test_a_table_in_utf_16_is_read(tmp_path):
    (tmp_path / "image_labels.json").write_text('{"a": ["bird"]}', encoding="utf-16")
    assert read_image_labels(tmp_path, ["a"], NAMES).vector(0).tolist() == [0, 0, 1]
    with pytest.raises(DataError, match=r"no image label for b, its names are like 'a'; add it"):
        read_image_labels(tmp_path, ["b"], NAMES)


def test_a_table_that_is_no_dict_is_told(tmp_path):
    with pytest.raises(DataError, match="no dict"):
        table(tmp_path, [np.zeros(3)])
