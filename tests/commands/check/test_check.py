"""``mars check`` on trees that are sound, and on trees with everything wrong at once."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from datamodules.files.labels import read_label, write_label
from mars_pl.commands.check.command import main
from mars_pl.commands.data.command import main as prepare
from tests.fakes.fake_coco import make_coco_tree
from tests.fakes.fake_folder import make_own_folder
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def ids(tmp_path):
    return make_voc_tree(tmp_path / "voc", 8, pseudo="Pseudo")


@pytest.fixture
def check(tmp_path, capsys):
    """Run the command; returns (exit code, what it printed, kind → count, kind → names)."""

    def run(*words):
        code = main([*map(str, words), "--json", str(tmp_path / "faults.json")])
        found = json.loads((tmp_path / "faults.json").read_text())["faults"]
        assert code == int(bool(found))
        return code, capsys.readouterr().out, {entry["kind"]: entry["names"] for entry in found}

    return run


def test_a_sound_tree_has_no_faults(tmp_path, ids, check):
    code, printed, _ = check("data", tmp_path / "voc", "--data", "voc", "--split", "train_aug", "--split", "val")
    heading, _, notes = printed.partition("\n")
    assert (code, heading) == (0, f"{tmp_path / 'voc'}: 8 images, 8 with masks, nothing is wrong")
    assert "No faults, but worth a look:\n\nclass that no image shows: 17\n  boat: no image shows it" in notes


def spoil(root, ids):
    for image_id in ids[1:3]:
        (root / "JPEGImages" / f"{image_id}.jpg").unlink()
    (root / "JPEGImages" / f"{ids[3]}.jpg").write_bytes(b"no image")
    write_label(root / "SegmentationClass" / f"{ids[0]}.png", np.full((3, 3), 77))
    (root / "SegmentationClass" / f"{ids[4]}.png").write_bytes(b"no mask")
    (root / "Annotations" / f"{ids[5]}.xml").unlink()
    (root / "Annotations" / f"{ids[6]}.xml").write_text("<annotation><object><name>yeti</name></object></annotation>")
    lists = root / "ImageSets" / "Segmentation"
    (lists / "val.txt").write_text(f"{ids[0]}\n{ids[7]}\n")
    (lists / "twice.txt").write_text(f"{ids[0]}\n{ids[0]}\n")


def test_everything_that_is_wrong_is_listed_by_kind(tmp_path, ids, check):
    spoil(tmp_path / "voc", ids)
    code, printed, found = check("data", tmp_path / "voc", "--data", "voc")
    assert code == 1 and next(iter(found)) == "missing image", "what touches most images comes first"
    assert found == {
        "list": ["twice"],
        "trained on and scored": [ids[0], ids[0]],
        "missing image label": [ids[5]],
        "image label": [ids[6]],
        "size": [f"{ids[0]}.png"],
        "codes": [f"{ids[0]}.png"],
        "missing image": [f"{ids[1]}.jpg", f"{ids[2]}.jpg"],
        "damaged image": [f"{ids[3]}.jpg"],
        "unreadable mask": [f"{ids[4]}.png"],
    }
    assert f"\nmissing image: 2\n  {tmp_path}/voc/JPEGImages/{ids[1]}.jpg: no such image; fetch it" in printed
    assert f"\n  also {ids[2]}.jpg\n" in printed
    assert "class “yeti” is none of" in printed


def test_images_are_looked_over_where_there_are_no_image_labels_at_all(tmp_path, ids, check):
    (tmp_path / "voc" / "Annotations").rename(tmp_path / "elsewhere")
    (tmp_path / "voc" / "JPEGImages" / f"{ids[1]}.jpg").unlink()
    _, _, found = check("data", tmp_path / "voc", "--data", "voc", "--split", "train_aug")
    assert found == {"image labels": [str(tmp_path / "voc")], "missing image": [f"{ids[1]}.jpg"]}


def test_named_splits_alone_are_looked_over(tmp_path, ids, check):
    spoil(tmp_path / "voc", ids)
    assert set(check("data", tmp_path / "voc", "--data", "voc", "--split", "val")[2]) == {"size", "codes"}
    assert set(check("data", tmp_path / "voc", "--data", "voc", "--split", "minival")[2]) == {"list"}


def test_images_of_a_test_list_need_no_image_label(tmp_path, ids, check):
    root = tmp_path / "voc"
    (root / "ImageSets/Segmentation/test.txt").write_text(f"{ids[7]}\n")
    (root / "ImageSets/Segmentation/val.txt").unlink()
    (root / "Annotations" / f"{ids[7]}.xml").unlink()
    assert check("data", root, "--data", "voc", "--split", "train_aug", "--split", "test")[0] == 0


def test_many_names_are_cut_short_in_print_alone(tmp_path, ids, check):
    for path in (tmp_path / "voc" / "JPEGImages").iterdir():
        path.unlink()
    _, printed, found = check("data", tmp_path / "voc", "--data", "voc", "--split", "all")
    assert found["missing image"] == [f"{image_id}.jpg" for image_id in ids]
    assert f"also {', '.join(f'{image_id}.jpg' for image_id in ids[1:6])}, …\n" in printed


def test_coco_is_prepared_first(tmp_path, check):
    make_coco_tree(tmp_path / "coco")
    _, printed, _ = check("data", tmp_path / "coco", "--data", "coco")
    assert f"`mars data coco {tmp_path}/coco` writes them" in printed
    assert prepare(["coco", str(tmp_path / "coco")]) == 0
    _, printed, _ = check("data", tmp_path / "coco", "--data", "coco")
    assert "coco: 9 images, 9 with masks, nothing is wrong\n" in printed


def test_a_folder_of_ones_own_lists_the_faults_of_its_tables(tmp_path, check):
    make_own_folder(tmp_path / "own")
    assert check("data", tmp_path / "own", "--data", "folder")[0] == 0
    (tmp_path / "own/labels.csv").write_text("image,classes\na.jpg,mug\nz.jpg,cup\n")
    _, _, found = check("data", tmp_path / "own", "--data", "folder")
    assert {kind: len(names) for kind, names in found.items()} == {
        "unknown class": 1,
        "row without image": 1,
        "image without row": 7,
    }
    (tmp_path / "own/labels.csv").unlink()
    assert set(check("data", tmp_path / "own", "--data", "folder")[2]) == {"table"}


def test_masks_of_ones_own_are_looked_at(tmp_path, check):
    make_own_folder(tmp_path / "own")
    write_label(tmp_path / "own/masks/a.png", np.array([[9]]))
    assert set(check("data", tmp_path / "own", "--data", "folder")[2]) == {"size", "codes"}
    with Image.open(next((tmp_path / "own/images").rglob("a.*"))) as image:
        label = np.zeros(image.size[::-1], dtype=np.uint8)
    label[0, 0] = 254
    write_label(tmp_path / "own/masks/a.png", label)
    _, printed, found = check("data", tmp_path / "own", "--data", "folder")
    assert found == {"codes": ["a.png"]} and "masks/a.png: holds code 254" in printed


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nowhere", "--data", "voc"], "nowhere: no such data folder; fetch the data"),
        ([".", "--data", "voc"], "no lists in ImageSets/Segmentation; is it the folder that holds JPEGImages"),
        ([".", "--data", "coca"], "--data coca: neither a file nor one of coco, scenes, voc, folder"),
    ],
)
def test_what_is_no_data_set_is_one_fault(check, tmp_path, monkeypatch, words, complaint):
    monkeypatch.chdir(tmp_path)
    _, printed, found = check("data", *words)
    assert set(found) == {"data set"} and complaint in printed


def test_a_label_folder(tmp_path, ids, check):
    folder = tmp_path / "voc" / "Pseudo"
    words = ("labels", folder, "--data", "voc", "--root", tmp_path / "voc", "--split", "train_aug")
    assert check(*words)[0] == 0
    (folder / f"{ids[0]}.png").unlink()
    label = read_label(folder / f"{ids[1]}.png").copy()
    label[0, :3] = 254, 255, 21
    write_label(folder / f"{ids[1]}.png", label)
    Image.new("RGB", (9, 9)).save(folder / f"{ids[2]}.png")
    write_label(folder / f"{ids[3]}.png", label[:-1])
    faults = {
        "missing mask": [f"{ids[0]}.png"],
        "codes": [f"{ids[1]}.png", f"{ids[3]}.png"],
        "unreadable mask": [f"{ids[2]}.png"],
        "size": [f"{ids[3]}.png"],
    }
    assert check(*words)[2] == faults
    alone = check("labels", folder, "--data", "voc")[2]
    assert alone == {key: faults[key] for key in ("codes", "unreadable mask")}


def test_options_that_do_not_go_together_are_told(tmp_path, check):
    _, printed, _ = check("labels", tmp_path, "--data", "voc", "--split", "train")
    assert "--split train: is a list of the data folder; name that by --root" in printed
    _, printed, _ = check("labels", tmp_path, "--data", "voc")
    assert "holds no <image id>.png" in printed


def test_it_answers_without_anything_heavy(tmp_path, ids):
    words = ["check", "data", str(tmp_path / "voc"), "--data", "voc", "--split", "val"]
    code = (
        f"import sys\nfrom mars_pl.cli.main import main\nassert main({words!r}) == 0\n"
        "print([name for name in ('torch', 'timm', 'scipy', 'pycocotools') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def notes_of(tmp_path):
    found = json.loads((tmp_path / "faults.json").read_text())["notes"]
    return {entry["kind"]: entry["names"] for entry in found}


def test_masks_in_sub_folders_beside_their_images_are_named(tmp_path, check):
    make_own_folder(tmp_path / "own")
    masks = tmp_path / "own/masks"
    for name in ("shelf", "other"):
        (masks / name).mkdir()
    for name in ("c.png", "d.png"):
        (masks / name).rename(masks / "shelf" / name)
    write_label(masks / "other/a.png", np.zeros((4, 4)))
    _, printed, found = check("data", tmp_path / "own", "--data", "folder")
    assert found == {"mask in a sub-folder": ["c.png", "d.png"]}, "a.png lies above too"
    assert "shelf/c.png: masks are not looked for in sub-folders; move it up to" in printed
    (tmp_path / "own/aside").mkdir()
    masks.rename(tmp_path / "own/aside/masks")
    masks.write_text("")
    assert check("data", tmp_path / "own", "--data", "folder")[2] == {"masks": ["masks"]}


def test_ids_that_differ_by_capital_letters_alone_are_a_note(tmp_path, check):
    make_own_folder(tmp_path / "own")
    with Image.open(tmp_path / "own/images/a.jpg") as image:
        image.save(tmp_path / "own/images/A.jpg")
    with (tmp_path / "own/labels.csv").open("a") as table:
        table.write("A.jpg,cup\n")
    assert check("data", tmp_path / "own", "--data", "folder")[2] == {}
    assert notes_of(tmp_path) == {"names alike but for capital letters": ["a"]}


def test_a_name_of_several_lines_stays_on_one(tmp_path, check):
    make_own_folder(tmp_path / "own")
    write_label(tmp_path / "own/masks/two\nlines\x1b[31m.png", np.zeros((4, 4)))
    _, printed, found = check("data", tmp_path / "own", "--data", "folder")
    assert found == {"mask of no image": ["two\nlines\x1b[31m.png"]}
    assert r"masks/two\nlines\x1b[31m.png: no image is called two\nlines\x1b[31m; a mask" in printed
