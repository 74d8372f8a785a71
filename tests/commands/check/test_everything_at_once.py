"""A folder of one's own in which everything is wrong at once, and a VOC tree likewise: one listing names it all."""

import json

import numpy as np
import pytest
from PIL import Image

from datamodules.files.labels import read_label, write_label
from datamodules.files.scores import write_scores
from mars_pl.commands.check.command import main
from tests.fakes.fake_folder import make_own_folder
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def listing(tmp_path, capsys):
    def run(*words):
        code = main([*map(str, words), "--json", str(tmp_path / "found.json")])
        found = json.loads((tmp_path / "found.json").read_text())
        kinds = {key: {entry["kind"]: entry["names"] for entry in found[key]} for key in ("faults", "notes")}
        return code, capsys.readouterr().out, kinds["faults"], kinds["notes"]

    return run


@pytest.fixture
def root(tmp_path):
    make_own_folder(tmp_path / "own")
    return tmp_path / "own"


def spoil(root):
    images, masks = root / "images", root / "masks"
    Image.fromarray(np.zeros((40, 40), np.uint16)).save(images / "b.png")
    write_label(masks / "c.png", (read_label(masks / "c.png") > 0) * 255)
    write_label(masks / "d.png", np.array([0, 2, 1, 3])[read_label(masks / "d.png")])
    write_label(masks / "e.png", np.zeros_like(read_label(masks / "e.png")))
    (masks / "f.png").rename(masks / "f_mask.png")
    (masks / "h.png").rename(masks / "h.PNG")
    (images / "._a.jpg").write_bytes(b"\0\5\26\7")
    (images / "film.heic").touch()
    names = "__ignore__\ncup\ncup\nteddy bear\nlamp\n[bold]unicorn[/bold]\nGröße\n"
    (root / "classes.txt").write_text(names, encoding="cp1252")
    rows = (root / "labels.csv").read_text().replace("cup;lamp", "cup,lamp", 1)
    (root / "labels.csv").write_text(f"{rows}z.jpg,mug\n")
    (root / "val.txt").write_text("g\ny\n")
    (root / "test.txt").write_text("Größe\n", encoding="cp1252")


def test_a_folder_of_ones_own(root, listing):
    spoil(root)
    code, printed, faults, notes = listing("data", root, "--data", "folder")
    assert code == 1
    assert faults == {
        "encoding": ["classes.txt"],
        "no class": ["__ignore__"],
        "class twice": ["cup"],
        "row of more cells than columns": ["shelf/c.jpeg"],
        "row without image": ["z.jpg"],
        "unknown class": ["z.jpg"],
        "image that is not read": ["images/film.heic"],
        "list": ["test.txt"],
        "listed without image": ["y"],
        "image not of 8 bits": ["b.png"],
        "mask of 255 in place of classes": ["c.png"],
        "class that the image label denies": ["d.png"],
        "mask without a class of its image label": ["e.png"],
        "mask of no image": ["f_mask.png", "h.PNG"],
    }
    assert notes == {"class that no image shows": ["[bold]unicorn[/bold]", "Größe"]}
    assert f"{root}: 8 images, 6 with masks, these faults:" in printed
    assert printed.index("mask of no image: 2") < printed.index("list: 1"), "by how many images each touches"
    assert "[bold]unicorn[/bold]: no image shows it" in printed, "no markup"
    assert not (root / "images.json").exists(), "nothing is prepared of what is wrong"


def test_each_line_says_what_to_do(root, listing):
    spoil(root)
    _, printed, _, _ = listing("data", root, "--data", "folder")
    for line in (
        f"{root}/masks/f_mask.png: no image is called f_mask; a mask is called like its image, with .png",
        f"{root}/masks/c.png: holds 255, which is left out, and no class, its image label says cup; write",
        f"{root}/masks/d.png: holds teddy bear, its image label says cup; are its codes",
        f"{root}/test.txt: not UTF-8; save it as UTF-8",
    ):
        assert line in printed


def test_a_table_that_names_no_class_and_masks_in_another_folder(root, listing):
    rows = (root / "labels.csv").read_text().splitlines()
    (root / "labels.csv").write_text("\n".join([rows[0], *(row.split(",")[0] + "," for row in rows[1:])]))
    (root / "masks").rename(root / "SegmentationClass")
    _, printed, faults, notes = listing("data", root, "--data", "folder")
    assert faults == {"no image shows any class": [str(root)]} and notes == {
        "masks in another folder": ["SegmentationClass"]
    }
    assert "own: 8 images, 0 with masks, these faults:" in printed
    assert "SegmentationClass holds 8 files called as masks are" in printed


@pytest.mark.parametrize("suffix", [".jpg.png", ".PNG", ".tif"])
def test_masks_under_the_name_of_another_suffix(root, listing, suffix):
    for path in sorted((root / "masks").iterdir()):
        path.rename(path.with_suffix(suffix))
    (root / "masks" / "._a.png").touch()
    _, printed, faults, _ = listing("data", root, "--data", "folder")
    assert len(faults.pop("mask of no image")) == 8 and not faults
    assert f"a{suffix}: is not called as the mask of a.jpg has to be; call it a.png" in printed


def test_one_mask_too_many_among_twenty_is_a_note(tmp_path, listing):
    ids = make_voc_tree(tmp_path / "voc", 20)
    masks = tmp_path / "voc" / "SegmentationClass"
    write_label(masks / "2011_000001.png", np.zeros((4, 4)))
    write_label(masks / f"{ids[0]}.png", np.zeros_like(read_label(masks / f"{ids[0]}.png")))
    split = ("--data", "voc", "--split", "train_aug", "--split", "val")
    code, _, faults, notes = listing("data", tmp_path / "voc", *split)
    assert (code, faults) == (0, {}) and notes["mask without a class of its image label"] == [f"{ids[0]}.png"]
    (tmp_path / "voc/ImageSets/Segmentation/all.txt").unlink()
    (tmp_path / "voc/ImageSets/Segmentation/train.txt").unlink()
    code, _, faults, notes = listing("data", tmp_path / "voc", "--data", "voc")
    assert (code, faults) == (0, {}) and notes["mask of no image"] == ["2011_000001.png"]


def test_a_tree_of_VOCs_layout_with_other_suffixes_and_encodings(tmp_path, listing):
    ids = make_voc_tree(tmp_path / "voc", 8)
    for image_id, suffix in zip(ids, (".JPG", ".png", ".jpeg", ".tif", ".webp", ".bmp", ".jfif", ".jpg"), strict=True):
        path = tmp_path / "voc/JPEGImages" / f"{image_id}.jpg"
        with Image.open(path) as image:
            image.load()
        path.unlink()
        image.save(path.with_suffix(suffix))
    for path in (tmp_path / "voc/ImageSets/Segmentation").iterdir():
        path.write_text(path.read_text().replace("2007", "JPEGImages\\2007"), encoding="utf-16")
    (tmp_path / "voc/ImageSets/Segmentation/._val.txt").touch()
    split = ("--split", "train_aug", "--split", "val")
    code, printed, faults, _ = listing("data", tmp_path / "voc", "--data", "voc", *split)
    assert (code, faults) == (0, {}) and "8 images, 8 with masks" in printed


def test_labels_are_held_against_the_image_labels(tmp_path, listing):
    ids = make_voc_tree(tmp_path / "voc", 8, pseudo="Pseudo")
    folder = tmp_path / "voc/Pseudo"
    words = ("labels", folder, "--data", "voc", "--root", tmp_path / "voc")
    assert listing(*words)[2] == {}
    write_label(folder / f"{ids[0]}.png", np.array([0, 2, 1, 3])[read_label(folder / f"{ids[0]}.png")])
    write_label(folder / f"{ids[1]}.png", (read_label(folder / f"{ids[1]}.png") > 0) * 255)
    write_label(folder / f"{ids[2]}.png", np.zeros_like(read_label(folder / f"{ids[2]}.png")))
    (folder / "._a.png").touch()
    code, printed, faults, notes = listing(*words)
    assert code == 1 and notes == {}
    assert faults == {
        "class that the image label denies": [f"{ids[0]}.png"],
        "mask of 255 in place of classes": [f"{ids[1]}.png"],
    }, "a pseudo label may have lost a class"
    assert "holds bicycle, its image label says aeroplane; are its codes" in printed and "(12% of 8 masks)" in printed
    (tmp_path / "voc/Annotations").rename(tmp_path / "elsewhere")
    _, printed, faults, notes = listing(*words)
    assert faults == {} and set(notes) == {"no image labels"} and "labels are not held against image labels" in printed


def test_scores_are_held_against_the_image_labels(tmp_path):
    from datamodules.checks import inspect_images
    from datamodules.contradictions import DENIED, Shown
    from datamodules.files.tree import Tree

    ids = make_voc_tree(tmp_path / "voc", 2)
    (tmp_path / "scores").mkdir()
    for image_id, classes in zip(ids, ([1], [1, 2]), strict=True):
        height, width = read_label(tmp_path / "voc/SegmentationClass" / f"{image_id}.png").shape
        maps = np.zeros((len(classes), height, width), np.float32)
        write_scores(tmp_path / "scores" / f"{image_id}.npz", np.array(classes), maps)
    shown = Shown(("background", "aeroplane", "bicycle"), [np.array([1]), np.array([2])].__getitem__)
    found = inspect_images(Tree(tmp_path / "voc"), ids, 3, score_folder=tmp_path / "scores", shown=shown)
    assert [(fault.kind, fault.name) for fault in found] == [(DENIED, f"{ids[1]}.npz")]
