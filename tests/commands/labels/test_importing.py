"""``mars labels import`` on maps of a few pixels, with labels and figures by hand."""

import json
import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.labels import read_label, voc_palette, write_label
from mars_pl.cli.main import main as mars
from mars_pl.commands.labels.command import main
from mars_pl.commands.labels.from_scores import Rule

A, B = [[0.9, 0.6, 0.2]], [[0.7, 0.4, 0.1]]
"""Maps of class 1 in image a and class 2 in image b."""

TRUTH = {"a": [[1, 1, 0]], "b": [[2, 0, 255]]}
IGNORED = np.full((1, 3), 255)


def save(path, content):
    if path.suffix == ".pkl":
        path.write_bytes(pickle.dumps(content))
    else:
        np.save(path, content, allow_pickle=True)


def irn(folder):
    for name, key, maps in (("a", 0, A), ("b", 1, B)):
        cam = torch.zeros(1, 1, 1)
        save(folder / f"{name}.npy", {"keys": torch.tensor([key]), "cam": cam, "high_res": np.array([maps], "f4")})


def seam_cam(folder):
    save(folder / "a.npy", {0: np.array(A, "f4")})
    save(folder / "b.npy", {1: np.array(B, "f4")})


def seam_crf(folder):
    save(folder / "a.npy", {0: np.array([[0.2, 0.4, 0.7]], "f4"), 1: np.array([[0.8, 0.6, 0.3]], "f4")})
    save(folder / "b.npy", {0: np.array([[0.2, 0.9, 0.7]], "f4"), 2: np.array([[0.8, 0.1, 0.3]], "f4")})


def rsepm(folder):
    save(folder / "a.pkl", {"keys": np.array([0, 1]), "seed": np.array([A], "f4")})
    save(folder / "b.pkl", {"keys": np.array([0, 2]), "seed": np.array([B], "f4")})


def png(folder):
    for name, codes in TRUTH.items():
        Image.fromarray(np.array(codes, dtype=np.uint8)).save(folder / f"{name}.png")


def dhr(folder):
    own = folder / "VOC2012" / "RSEPM" / "train_aug"
    own.mkdir(parents=True)
    png(own)


WRITERS = {"irn": irn, "seam": seam_cam, "seam crf": seam_crf, "rsepm": rsepm, "png": png, "dhr": dhr}


@pytest.fixture
def bring(tmp_path):
    """Write a kind's files as it is published, import them, and return the target."""

    def run(kind, *options, write=True):
        source, target = tmp_path / "source", tmp_path / "labels"
        if write:
            source.mkdir()
            WRITERS[kind](source)
        words = ["import", kind.split()[0], str(source), str(target), "--classes", "2", "--workers", "2"]
        assert main([*words, *map(str, options)]) == 0
        return target

    return run


@pytest.fixture
def truth(tmp_path):
    (tmp_path / "truth").mkdir()
    for name, codes in TRUTH.items():
        write_label(tmp_path / "truth" / f"{name}.png", np.array(codes))
    return tmp_path / "truth"


@pytest.fixture
def listed(tmp_path):
    def write(*ids, name="train"):
        (tmp_path / f"{name}.txt").write_text("".join(f"{image_id}\n" for image_id in ids))
        return tmp_path / f"{name}.txt"

    return write


def labels(folder):
    return [read_label(folder / f"{name}.png").tolist() for name in ("a", "b")]


def about(folder):
    return json.loads((folder / "about.json").read_text())


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("irn", [], [[[1, 1, 1]], [[2, 2, 0]]]),  # above .15
        ("irn", ["--background", ".5"], [[[1, 1, 0]], [[2, 0, 0]]]),
        ("irn", ["--background", "0"], [[[1, 1, 1]], [[2, 2, 2]]]),
        ("irn", ["--background", "1"], [[[0, 0, 0]], [[0, 0, 0]]]),
        ("irn", ["--alpha", "1"], [[[1, 1, 0]], [[2, 0, 0]]]),  # above .5
        ("seam", [], [[[1, 1, 0]], [[2, 2, 0]]]),  # above .26
        ("seam", ["--content", "cam", "--background", ".65"], [[[1, 0, 0]], [[2, 0, 0]]]),
        ("seam", ["--alpha", "4"], [[[1, 1, 0]], [[2, 2, 0]]]),  # .8⁴ = .41 > .2, .6⁴ = .13 < .4
        ("seam crf", [], [[[1, 1, 0]], [[2, 0, 0]]]),
        ("seam crf", ["--content", "crf"], [[[1, 1, 0]], [[2, 0, 0]]]),
        ("rsepm", [], [[[1, 1, 0]], [[2, 2, 0]]]),  # .8² = .64 > .2, .6² = .36 < .4
        ("rsepm", ["--background", ".65"], [[[1, 0, 0]], [[2, 0, 0]]]),
        ("png", [], list(TRUTH.values())),
        ("png", ["--ignore", "1,0"], [[[255, 255, 255]], [[2, 255, 255]]]),
        ("dhr", ["--method", "RSEPM"], list(TRUTH.values())),
    ],
)
def test_labels_by_hand(bring, kind, options, expected):
    target = bring(kind, *options)
    assert labels(target) == expected
    assert sorted(path.name for path in target.iterdir()) == ["a.png", "about.json", "b.png"]
    with Image.open(target / "a.png") as image:
        assert image.mode == "P" and tuple(image.getpalette()) == voc_palette()


@pytest.mark.parametrize(
    ("kind", "options", "refinement", "words"),
    [
        ("irn", [], "none", "irn scores of .*source; background score 0.15$"),
        ("seam", ["--alpha", "24"], "none", r"seam-cam scores of .*; background \(1 − max\)\^24$"),
        ("seam crf", [], "crf", "seam-crf scores of .*; their own background$"),
        ("png", [], None, "png masks of .*source$"),
        ("dhr", [], None, "dhr masks of .*source/VOC2012/RSEPM/train_aug$"),
    ],
)
def test_the_labels_say_how_they_were_made(bring, kind, options, refinement, words):
    facts = about(bring(kind, *options))
    assert facts.get("refinement") == refinement and re.fullmatch(words.rstrip("$"), facts["note"])


def test_facts_about_masks_go_with_them(bring, tmp_path):
    (tmp_path / "source").mkdir()
    png(tmp_path / "source")
    facts = {"refinement": "crf", "network": "teacher", "multi_scale": True, "note": "before"}
    (tmp_path / "source" / "about.json").write_text(json.dumps(facts))
    note = f"png masks of {tmp_path / 'source'}; before"
    assert about(bring("png", write=False)) == {**facts, "note": note}


def test_the_sweep_by_hand(bring, truth, listed, capsys):
    target = bring("irn", "--sweep", ".1,.3,.5,.8", "--truth", truth, "--list", listed("a", "b"))
    sweep = json.loads((target / "sweep.json").read_text())
    assert {key: sweep[key] for key in ("split", "images", "refinement", "chosen")} == {
        "split": "train",
        "images": 2,
        "refinement": "none",
        "chosen": 0.5,
    }
    # .1: a 1 1 1, b 2 2 0; .3: a 1 1 0, b 2 2 0; .5: as the truth; .8: a 1 0 0, b 0 0 0
    expected = [
        (0.1, (0 + 2 / 3 + 1 / 2) / 3, (1 / 3 + 1 / 2) / 2, 0),
        (0.3, (1 / 2 + 1 + 1 / 2) / 3, (0 + 1 / 2) / 2, 0),
        (0.5, 1, 0, 0),
        (0.8, (1 / 2 + 1 / 2 + 0) / 3, 0, (1 / 2 + 1) / 2),
    ]
    rows = [tuple(row[key] for key in ("background", "miou", "fp", "fn")) for row in sweep["scores"]]
    assert rows == [pytest.approx(row) for row in expected]
    assert labels(target) == [[[1, 1, 0]], [[2, 0, 0]]]
    source = target.parent / "source"
    assert about(target)["note"] == f"irn scores of {source}; background score 0.5, chosen on train (2 images)"
    printed = capsys.readouterr().out
    words = [line.split() for line in printed.splitlines()]
    assert ["0.3", "66.7", "0.250", "0.000", "█" * 13] in words
    assert ["0.5", "100.0", "←", "0.000", "0.000", "█" * 20] in words
    assert "background score 0.5, chosen on train (2 images)" in printed


def test_a_score_that_is_set_is_kept(bring, truth, capsys):
    options = ["--sweep", ".3:.5:.1", "--truth", truth, "--split", "train", "--background", ".65"]
    target = bring("seam", *options)
    sweep = json.loads((target / "sweep.json").read_text())
    assert sweep["chosen"] is None and [row["background"] for row in sweep["scores"]] == [0.3, 0.4, 0.5]
    assert labels(target) == [[[1, 0, 0]], [[2, 0, 0]]]
    assert "background score 0.65, swept on train (2 images), set beforehand" in capsys.readouterr().out


def test_the_sweep_takes_the_images_of_its_list(bring, truth, listed):
    (truth / "b.png").unlink()
    options = ["--sweep", ".65,.1", "--truth", truth, "--sweep-list", listed("a", name="val")]
    target = bring("irn", *options)
    sweep = json.loads((target / "sweep.json").read_text())
    assert (sweep["split"], sweep["images"], sweep["chosen"]) == (
        "val",
        1,
        0.65,
    )  # 1/2 and 1/2 against 0 and 2/3
    assert labels(target) == [[[1, 0, 0]], [[2, 0, 0]]]


def test_a_split_of_which_a_part_has_truth_says_so(bring, truth, listed):
    (truth / "b.png").unlink()
    target = bring("irn", "--sweep", ".5", "--truth", truth, "--list", listed("a", "b", name="train_aug"))
    sweep = json.loads((target / "sweep.json").read_text())
    assert (sweep["split"], sweep["images"]) == ("train_aug where there is truth", 1)


def test_what_was_not_measured_is_null(bring, truth):
    for name in TRUTH:
        write_label(truth / f"{name}.png", np.zeros((1, 3)))
    target = bring("irn", "--sweep", "1", "--truth", truth, "--split", "train")
    assert json.loads((target / "sweep.json").read_text())["scores"] == [
        {"background": 1.0, "miou": 1.0, "fp": None, "fn": None}
    ]


def test_means_over_the_scored_classes_of_a_data_yaml(bring, truth, tmp_path):
    yaml = tmp_path / "data.yaml"
    yaml.write_text("data: {init_args: {class_names: [background, cat, dog], scored_classes: [dog]}}")
    source, target = tmp_path / "source", tmp_path / "labels"
    source.mkdir()
    irn(source)
    words = ["--data", str(yaml), "--sweep", ".3", "--truth", str(truth), "--split", "train"]
    assert main(["import", "irn", str(source), str(target), *words]) == 0
    assert json.loads((target / "sweep.json").read_text())["scores"][0]["miou"] == 0.5


def test_a_folder_of_ones_own_names_its_classes_where_it_lies(tmp_path):
    source, target = tmp_path / "source", tmp_path / "labels"
    source.mkdir()
    png(source)
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    words = ["import", "png", str(source), str(target), "--data", "folder"]
    assert main([*words, "--root", str(tmp_path)]) == 0
    assert labels(target) == list(TRUTH.values())
    (tmp_path / "classes.txt").write_text("cat\n")
    with pytest.raises(DataError, match=r"b\.png: holds code 2, the data 0 to 1"):
        main([*words, "--root", str(tmp_path)])
    with pytest.raises(DataError, match=r"--data folder: its classes\.txt lies in .*--root"):
        main(words)


def test_an_image_without_classes_is_background_of_its_images_size(bring, tmp_path):
    source, images = tmp_path / "source", tmp_path / "images"
    source.mkdir()
    images.mkdir()
    seam_cam(source)
    save(source / "b.npy", {})
    with pytest.raises(DataError, match=r"b\.npy: holds no class, so no size either; name the images by --images"):
        bring("seam", write=False)
    for name, size in (("a", (3, 1)), ("b", (2, 2))):
        Image.new("RGB", size).save(images / f"{name}.jpg")
    assert labels(bring("seam", "--images", images, write=False)) == [[[1, 1, 0]], [[0, 0], [0, 0]]]


def test_an_import_again_replaces_what_it_wrote(bring):
    bring("irn", "--background", "0")
    assert labels(bring("irn", "--background", "1", write=False)) == [[[0, 0, 0]], [[0, 0, 0]]]


def spoil_code(root):
    class Touch:
        def __reduce__(self):
            return os.mkdir, (str(root / "ran"),)

    save(root / "source" / "a.npy", Touch())


def spoil_both(root):
    for name in ("a", "b"):
        save(root / "source" / f"{name}.npy", {"keys": torch.tensor([5]), "high_res": np.array([A], "f4")})


def images(root):
    (root / "images").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (3, 2)).save(root / "images" / f"{name}.jpg")


def foreign_target(root):
    (root / "labels").mkdir()
    (root / "labels" / "z.png").touch()


@pytest.mark.parametrize(
    ("spoil", "options", "complaint"),
    [
        (spoil_code, [], r"source/a\.npy: refused \(it asks for posix\.mkdir\); a file that holds torch tensors"),
        (lambda root: (root / "source/b.npy").unlink(), ["--list", "{list}"], r"source/b\.npy: no such file"),
        (
            spoil_both,
            [],
            r"a\.npy: holds class 6, the data 1 to 2; .* \(2 of 2 files are at fault",
        ),
        (images, ["--images", "{images}"], r"a\.npy: 3×1 pixels, its image 3×2; .* \(2 of 2 files"),
        (None, ["--images", "{images}"], r"images/a\.jpg: no such image"),
        (None, ["--refine", "crf"], "--refine crf: it follows the images; name their folder by --images"),
        (None, ["--refine", "crf", "--images", "{images}", "--crf", "x"], "no CRF settings are called 'x'"),
        (None, ["--crf", "cam"], "--crf cam: there is no refinement"),
        (None, ["--sweep", ".1"], "--sweep and --truth go together"),
        (None, ["--truth", "{truth}"], "--sweep and --truth go together"),
        (None, ["--sweep", ".1", "--truth", "{truth}"], "name the split by --split"),
        (None, ["--sweep", ".1", "--truth", "{images}", "--split", "x"], "images: holds no truth of the images"),
        (None, ["--sweep", ".1", "--truth", "{truth}", "--split", "x", "--alpha", "2"], "--alpha 2: the sweep is of"),
        (foreign_target, [], "labels: holds masks that mars did not write"),
    ],
)
def test_a_fault_is_one_line_that_names_file_and_remedy(bring, tmp_path, truth, listed, spoil, options, complaint):
    (tmp_path / "source").mkdir()
    irn(tmp_path / "source")
    if spoil:
        spoil(tmp_path)
    places = {"images": tmp_path / "images", "truth": truth, "list": listed("a", "b")}
    with pytest.raises(ValueError, match=complaint) as caught:
        bring("irn", *[option.format(**places) for option in options], write=False)
    assert "\n" not in str(caught.value) and not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("write", "options", "complaint"),
    [
        (lambda truth: write_label(truth / "a.png", np.zeros((2, 2))), [], r"a\.png: the truth has 2×2 .* 3×1"),
        (lambda truth: write_label(truth / "a.png", np.full((1, 3), 9)), [], r"a\.png: the truth holds 9, .*--data"),
        (
            lambda truth: [write_label(truth / f"{name}.png", np.full((1, 3), 255)) for name in TRUTH],
            [],
            "255 everywhere",
        ),
        (lambda truth: (truth / "b.png").unlink(), ["--sweep-list", "{list}"], r"truth/b\.png: no such file"),
    ],
)
def test_a_truth_that_does_not_fit_is_named(bring, truth, listed, write, options, complaint):
    write(truth)
    words = [option.format(list=listed("a", "b")) for option in options]
    with pytest.raises(DataError, match=complaint):
        bring("irn", "--sweep", ".1,.2", "--truth", truth, "--split", "train", *words)


@pytest.mark.parametrize("option", ["--background=.3", "--alpha=2", "--sweep=.1"])
def test_scores_with_a_background_of_their_own_take_no_other(bring, option):
    with pytest.raises(DataError, match="have a background of their own; leave --background"):
        bring("seam crf", option, *(["--truth", "x"] if "sweep" in option else []))


def test_scores_with_and_without_a_background_do_not_mix(bring, tmp_path):
    (tmp_path / "source").mkdir()
    rsepm(tmp_path / "source")
    save(tmp_path / "source" / "b.pkl", {"keys": np.array([0, 1]), "seed": np.full((2, 1, 3), 0.5)})
    with pytest.raises(DataError, match=r"b\.pkl: has a background of its own, unlike the first file"):
        bring("rsepm", write=False)


@pytest.mark.parametrize(
    ("kind", "options", "complaint"),
    [
        ("irn", ["--sweep", "a"], "a: write scores of 0…1 as .1,.2,.3 or from:to:step"),
        ("irn", ["--sweep", "0:1:0"], "from:to:step"),
        ("irn", ["--sweep", ".5:.1:.1"], "from:to:step"),
        ("irn", ["--background", "1.5"], "1.5: write a number of 0…1"),
        ("irn", ["--alpha", "-1"], "-1: write a number above 0"),
        ("irn", ["--alpha", "1", "--background", "0"], "not allowed with"),
        ("png", ["--ignore", "65536"], "65536: write a whole number of 0…65535"),
        ("png", ["--background", ".1"], "unrecognized arguments"),
    ],
)
def test_words_that_make_no_sense_are_refused(bring, capsys, kind, options, complaint):
    with pytest.raises(SystemExit):
        bring(kind, *options)
    assert complaint in capsys.readouterr().err


def test_source_is_no_target(tmp_path):
    png(tmp_path)
    with pytest.raises(DataError, match="is source and target at once"):
        main(["import", "png", str(tmp_path), str(tmp_path), "--classes", "2"])
    assert not (tmp_path / "about.json").exists()


def test_a_file_is_no_target(tmp_path):
    png(tmp_path)
    (tmp_path / "file").touch()
    for target in ("file", "file/labels"):
        with pytest.raises(DataError, match=f"{target}: a file is in the place of this folder; name another"):
            main(["import", "png", str(tmp_path), str(tmp_path / target), "--classes", "2"])


def test_a_wrong_folder_is_named(tmp_path, capsys):
    words = ["labels", "import", "irn", str(tmp_path / "nowhere"), str(tmp_path / "to"), "--data", "voc"]
    assert mars(words) == 1
    assert capsys.readouterr().err == (
        f"mars: error: {tmp_path / 'nowhere'}: no such folder; name the one that holds <image id>.npy\n"
    )
    with pytest.raises(DataError, match=r"holds no <image id>\.npy; is this the right folder and KIND"):
        main(["import", "irn", str(tmp_path), str(tmp_path / "to"), "--data", "voc"])


def test_it_answers_without_torch_where_the_files_hold_none(tmp_path):
    (tmp_path / "source").mkdir()
    seam_cam(tmp_path / "source")
    words = ["labels", "import", "seam", str(tmp_path / "source"), str(tmp_path / "labels"), "--data", "voc"]
    code = (
        f"import sys\nfrom mars_pl.cli.main import main\nassert main({words!r}) == 0\n"
        "print([name for name in ('torch', 'pytorch_lightning', 'timm', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_rule_says_what_it_is():
    assert str(Rule(background=0.25)) == "background score 0.25"
    assert str(Rule(alpha=4)) == "background (1 − max)^4"
    assert str(Rule()) == "their own background"
