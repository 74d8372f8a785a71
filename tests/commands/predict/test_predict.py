"""`mars predict IMAGES --fit FIT`: masks and overlays of a fit of two epochs; the Python call gives the same arrays."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from datamodules.files.labels import read_label
from mars_pl.cli.main import main
from mars_pl.commands.predict import command
from mars_pl.fitted import read_segmenter
from tests.cli.tiny_fit import TinyFit

QUICK = ["--no-crf", "--trainer", "cpu", "--writer.init_args.workers", "0", "--model.init_args.scales", "[1.0, 0.5]"]


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    tiny = TinyFit(tmp_path_factory.mktemp("segmenter"), "segmenter")
    assert tiny.fit(tiny.house / "fit", "--model.init_args.scales", "[1.0, 0.5]") == 0
    return tiny.house / "fit"


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """Two photographs, one in a sub-folder and held upright; jobs run in this process."""
    rng = np.random.default_rng(0)
    pixels = {"a": rng.integers(0, 255, (40, 52, 3), np.uint8), "trip/b": rng.integers(0, 255, (37, 33, 3), np.uint8)}
    for name, array in pixels.items():
        path = tmp_path / f"photographs/{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(path)
    monkeypatch.setattr(command, "mars_command", lambda: [])
    monkeypatch.setattr(command.subprocess, "run", lambda words, check: SimpleNamespace(returncode=main(words)))
    monkeypatch.chdir(tmp_path)
    return pixels


def test_masks_and_overlays_and_the_same_arrays_from_python(fit, photographs, tmp_path, capsys):
    assert main(["predict", "photographs", "--fit", str(fit), "--overlay", "--out", "seen", *QUICK]) == 0
    assert "seen/overlays: 2 overlays" in capsys.readouterr().out
    segment = read_segmenter(fit)
    assert segment.class_names[:2] == ("background", "aeroplane") and segment.views["scales"] == [1.0, 0.5]
    for name, pixels in photographs.items():
        mask = read_label(tmp_path / f"seen/{name}.png")
        assert mask.shape == pixels.shape[:2]
        found = segment(pixels)
        assert found.dtype == np.uint8 and np.array_equal(found, mask)
        overlay = np.array(Image.open(tmp_path / f"seen/overlays/{name}.jpg"))
        assert overlay.shape == pixels.shape and not np.array_equal(overlay, pixels)


def test_without_overlay_there_are_masks_alone_and_further_words_reach_the_job(fit, photographs, tmp_path):
    words = ["--fit", str(fit), *QUICK, "--trainer.limit_predict_batches", "1"]
    assert main(["predict", "photographs/a.png", *words]) == 0
    assert [path.name for path in (tmp_path / "predictions").glob("**/*.png")] == ["a.png"]
    assert not (tmp_path / "predictions/overlays").exists()


def test_a_job_that_fails_leaves_its_code(fit, photographs, capsys):
    assert main(["predict", "photographs", "--fit", str(fit), "--overlay", *QUICK, "--model.init_args.scal", "1"]) != 0
    assert "scal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["photographs", "--fit", "nowhere"], "nowhere/fit.yaml: no such file; --fit names the folder of a finished"),
        (["elsewhere", "--fit", "FIT"], "elsewhere: no such image or folder"),
    ],
)
def test_what_is_missing_is_named_before_anything_starts(fit, photographs, capsys, words, said):
    assert main(["predict", *[str(fit) if word == "FIT" else word for word in words]]) == 1
    assert said in capsys.readouterr().err


def test_predict_without_a_fit_is_lightnings(photographs, capsys):
    assert main(["predict", "photographs"]) == 2
    assert "mars predict --help" in capsys.readouterr().err
