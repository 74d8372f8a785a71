"""What goes wrong ends, before any training starts, in one line that names the file and the remedy."""

import pickle

import numpy as np
from PIL import Image

from datamodules.files.labels import read_label, write_label
from tests.fakes.touch import Touch

FIRST, LAST = "2007_000001", "2007_000003"

SUPERVISED = ("supervised/segment", "--data.init_args.batch_size", "2")


def test_the_stages_themselves_are_sound(run):
    assert run.run(run.words("cam/wsss-classifier")) == 0
    assert run.run([*run.words(SUPERVISED[0]), *SUPERVISED[1:]]) == 0


def test_missing_folder(fault):
    line = fault("cam/wsss-classifier", "--data.init_args.root", "data/nowhere")
    assert line.startswith("data/nowhere: no such data folder") and "set data.root" in line


def test_missing_list(fault):
    line = fault("cam/wsss-classifier", "--data.init_args.fit_split", "trainaug")
    assert "ImageSets/Segmentation/trainaug.txt: no such list" in line and "train_aug" in line


def test_missing_label_folder(fault):
    line = fault(*SUPERVISED, "--data.init_args.label_folder", "runs/elsewhere/labels")
    assert line.startswith("runs/elsewhere/labels: no such label folder")


def test_missing_image(fault, root):
    (root / "JPEGImages" / f"{FIRST}.jpg").unlink()
    assert f"JPEGImages/{FIRST}.jpg: no such image" in fault("cam/wsss-classifier")


def test_mask_of_another_size(fault, root):
    path = root / "SegmentationClassAug" / f"{LAST}.png"
    with Image.open(root / "JPEGImages" / f"{LAST}.jpg") as image:
        width, height = image.size
    write_label(path, np.zeros((height, width + 1), dtype=np.uint8))
    line = fault(*SUPERVISED)
    assert f"SegmentationClassAug/{LAST}.png: {width + 1}×{height} pixels, its image {width}×{height}" in line


def test_truth_of_another_size(fault, root):
    path = root / "SegmentationClass" / "2007_000004.png"  # of `val`
    write_label(path, np.zeros((3, 3), dtype=np.uint8))
    assert "SegmentationClass/2007_000004.png: 3×3 pixels" in fault("cam/wsss-classifier")


def test_label_beyond_the_classes(fault, root):
    path = root / "SegmentationClassAug" / f"{FIRST}.png"
    label = read_label(path)
    label[0, 0] = 21
    write_label(path, label)
    line = fault(*SUPERVISED)
    assert f"{FIRST}.png: holds code 21, the data 0 to 20, 254 and 255" in line and "map the codes" in line


def test_truncated_image(fault, root):
    path = root / "JPEGImages" / f"{FIRST}.jpg"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    line = fault("cam/wsss-classifier")
    assert f"JPEGImages/{FIRST}.jpg: cannot be decoded" in line and "fetch the image again" in line


def test_image_without_a_label(fault, root):
    (root / "SegmentationClassAug" / f"{FIRST}.png").unlink()
    assert f"SegmentationClassAug/{FIRST}.png: no such label" in fault(*SUPERVISED)


def test_image_without_an_image_label(fault, root):
    table = np.load(root / "cls_labels.npy", allow_pickle=True).item()
    del table[int(FIRST.replace("_", ""))]
    np.save(root / "cls_labels.npy", table)
    line = fault("cam/wsss-classifier")
    assert f"cls_labels.npy: no image label for {FIRST}" in line and "take it off the list" in line


def test_no_image_labels_at_all(fault, root):
    (root / "cls_labels.npy").unlink()
    assert "data/voc/Annotations: no image labels" in fault("cam/wsss-classifier")


def test_cls_labels_that_try_to_run_code(fault, root, tmp_path):
    target = tmp_path / "it_ran"
    np.save(root / "cls_labels.npy", np.array(Touch(target), dtype=object), allow_pickle=True)
    line = fault("cam/wsss-classifier")
    assert not target.exists()
    assert "cls_labels.npy: refused" in line and "mkdir" in line
    with (root / "cls_labels.npy").open("rb") as file:  # the file is dangerous: numpy itself would run it
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        pickle.load(file)
    assert target.exists()
