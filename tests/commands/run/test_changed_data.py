"""Data, labels and weights that change rerun what reads them, and what follows."""

import os
import shutil

import numpy as np
import pytest

from tests.commands.run.names import AFTER_USS, EVERY, FAR, LABELLED, MEASURED
from tests.fakes.fake_tree import make_voc_tree


def shorter_list(name):
    def change(house):
        path = house.root / f"ImageSets/Segmentation/{name}.txt"
        path.write_text("\n".join(path.read_text().split()[1:]) + "\n")

    return change


def image_label(house):
    table = np.load(house.root / "cls_labels.npy", allow_pickle=True).item()
    first = next(iter(table))
    np.save(house.root / "cls_labels.npy", np.array(table | {first: table[first][::-1]}, dtype=object))


def true_mask(house):
    path = next((house.root / "SegmentationClass").iterdir())
    shutil.copy(next(path for path in (house.root / "SegmentationClassAug").iterdir()), path)
    os.utime(path, (1, 1))


def image_replaced(house):
    path = house.root / "JPEGImages/2007_000001.jpg"
    path.write_bytes(path.read_bytes() + b"more")


def image_removed(house):
    (house.root / "JPEGImages/2007_000004.jpg").unlink()  # of val


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (shorter_list("train_aug"), EVERY),
        (shorter_list("train"), {"row pseudo", "row debiased", "row complemented", "row pseudo-baseline"}),
        (shorter_list("all"), set()),
        (image_label, LABELLED),
        (true_mask, MEASURED),
        (image_replaced, EVERY),
        (image_removed, {"segment-masks mars", "segment-masks baseline", "row final", "row baseline"}),
    ],
)
def test_changed_data_rerun_what_reads_them(made, change, again):
    change(made)
    assert set(made.run()) == again
    assert made.run() == []


def test_an_xml_is_an_image_label_where_no_table_is(house):
    make_voc_tree(house.root, 4, image_labels="xml")
    house.run()
    path = house.root / "Annotations/2007_000001.xml"
    path.write_text(path.read_text().replace("aeroplane", "bicycle"))
    assert house.run() == [], "cls_labels.npy is read, not the XML"
    (house.root / "cls_labels.npy").unlink()
    assert set(house.run()) == LABELLED
    path.write_text(path.read_text().replace("bicycle", "bird"))
    assert set(house.run()) == LABELLED
    unlabelled = ("wsss-classifier", "wsss-classifier.data.image_labels=none")
    assert house.run(*unlabelled) == ["wsss-classifier"]
    path.unlink()
    assert house.run(*unlabelled) == []


def test_a_mask_of_a_folder_of_labels_reruns_what_learns_from_it(house):
    shutil.copytree(house.root / "SegmentationClass", house.folder / "masks")
    first = house.run("labels=masks")
    assert not any(name.startswith("wsss") for name in first) and "row pseudo" in first
    assert house.run("labels=./masks") == [], "the same folder"
    (house.folder / "masks/note.txt").write_text("of ours")
    again = house.run("labels=masks")
    assert set(again) == set(first) - {"uss-neighbours", "uss-fit"}, "by names: another file is another folder"
    os.utime(house.folder / "masks/2007_000001.png", (1, 1))
    assert house.run("labels=masks") == again


def test_a_backbones_weights_are_known_by_what_they_hold(house):
    weights = house.folder / "weights/vit.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"one")
    house.yaml("backbone/mine").write_text("class_path: x.Y\ninit_args: {name: vit, weights: vit.safetensors}\n")
    house.run("backbone=mine")
    elsewhere = weights.rename(house.folder / "vit.safetensors")
    os.utime(elsewhere, (FAR, FAR))
    assert house.run("backbone=mine") == []
    elsewhere.write_bytes(b"two")
    assert set(house.run("backbone=mine")) == AFTER_USS | {"uss-neighbours"}
