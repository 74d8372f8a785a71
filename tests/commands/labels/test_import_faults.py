"""What an import refuses: each fault in one line that names file and remedy."""

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.errors import DataError
from mars_pl.cli.main import main as mars
from mars_pl.commands.labels.command import main
from tests.commands.labels.foreign_labels import A, irn, png, rsepm, save
from tests.fakes.touch import Touch


def spoil_code(root):
    save(root / "source" / "a.npy", Touch(root / "ran"))


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
    with pytest.raises(DataError, match=r"holds no <image id>\.npy; is it the right folder, or of another kind"):
        main(["import", "irn", str(tmp_path), str(tmp_path / "to"), "--data", "voc"])
