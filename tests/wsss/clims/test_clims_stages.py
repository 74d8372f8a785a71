"""WSSS=clims through the real command with the shipped YAMLs and a tiny CLIP, up to the scores."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from datamodules.files.image_labels.captions import TABLE
from datamodules.synthetic.captions import write_captioned
from mars_pl.pipeline.fit_length import fit_length
from mars_pl.pipeline.settings.resolved import resolve
from mars_pl.wsss.clims.clip_network import make_clip
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.stages.stage_outputs import codes, config, labels, shown
from tests.pipeline.tiny_run import TinyRun

FIT = "cam-clims/wsss-classifier"
CAPTIONED = "captioned"


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny):
    house = tmp_path_factory.mktemp("clims")
    make_voc_tree(house / "data" / "voc", 8, image_labels="npy")
    run = TinyRun(house, "wsss=clims")
    plain, clip = run.words, "--model.init_args.clip.init_args"
    tiny_clip = [f"{clip}.name", tiny, f"{clip}.tag", "null", "--trainer.max_epochs", "2"]
    run.words = lambda key: [*plain(key), *(tiny_clip if key == FIT else [])]
    return run


def test_the_classifier_goes_on_with_the_first_and_leaves_no_clip(run):
    first, second = run.get("cam/wsss-classifier"), run.get(FIT)
    init = config(second, "fit")["model"]["init_args"]
    assert (init["match"], init["mismatch"], init["suppression"], init["area"]) == (10, 24, 1, 0.2)
    assert init["words"]["person"] == "player" and len(init["companions"]) == 10
    assert first.name in init["weights"] and init["lr"] == 2.5e-4
    before, after = (load_file(fit / "weights.safetensors") for fit in (first, second))
    assert before.keys() == after.keys()
    assert any(not torch.equal(value, after[key]) for key, value in before.items())


def test_scores_need_no_clip_and_labels_are_irns(run, monkeypatch):
    run.get(FIT)
    monkeypatch.setitem(sys.modules, "open_clip", None)
    folder = run.get("wsss-scores")
    for image_id, label in labels(run, folder / "confident").items():
        assert codes(label) <= {0, 255, *shown(run)[image_id]}
    thresholds = config(folder, "predict")["writer"]["init_args"]["confident"]["init_args"]
    assert (thresholds["foreground_score"], thresholds["background_score"]) == (0.3, 0.1)
    stage = run.stages["wsss-labels"]
    assert resolve(stage.yamls, stage.options)["writer"]["init_args"]["background_scores"] == {
        "mars": 0.2,
        "baseline": 0.2,
    }


def test_without_the_package_the_fit_ends_in_one_line(run, monkeypatch, capsys):
    run.get("cam/wsss-classifier")
    monkeypatch.setitem(sys.modules, "open_clip", None)
    capsys.readouterr()
    assert run.run([*run.words(FIT), "--trainer.default_root_dir", "runs/none"]) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mars: error: ")]
    assert errors == ["mars: error: clip: CLIMS needs the package open_clip_torch; pip install 'mars-pl[clip]'"]


@pytest.fixture(scope="module")
def captioned(run, tiny):
    """The same beside captioned pictures, which the tiny CLIP learns first."""
    write_captioned(run.house / CAPTIONED, 1, 4)
    own = TinyRun(run.house, "wsss=clims", f"captions={CAPTIONED}")
    plain, clip = own.words, "--model.init_args.clip.init_args"
    size = ["--data.init_args.training_set.init_args.size", "32", "--data.init_args.batch_size", "2"]
    smaller = {
        "wsss-clip": ["--model.init_args.name", tiny, "--model.init_args.tag", "null", *size],
        FIT: [f"{clip}.name", tiny, f"{clip}.tag", "null"],
    }
    own.words = lambda key: [*plain(key), *smaller.get(key, [])]
    return own


def test_a_clip_that_learns_captions_first_is_the_judge(captioned, tiny):
    fit = captioned.get(FIT)
    judge = config(fit, "fit")["model"]["init_args"]["clip"]["init_args"]
    clip = captioned.path("wsss-clip")
    assert clip.name in judge["weights"] and judge["name"] == tiny
    data = config(clip, "fit")["data"]["init_args"]
    assert Path(data["training_set"]["init_args"]["folder"]).name == CAPTIONED and data["validate_split"] is None
    found = make_clip(tiny, weights=str(clip / "weights.safetensors"))[0].state_dict()
    assert found.keys() == load_file(clip / "weights.safetensors").keys()
    assert (clip / "metrics.csv").read_text().splitlines()[0].count("train/scale") == 1


def test_its_length_is_told_by_its_pictures_and_other_pictures_make_it_again(captioned, monkeypatch):
    monkeypatch.chdir(captioned.house)
    stage = captioned.stages["wsss-clip"]
    found = fit_length(stage)
    assert (found.images, found.items, found.batch) == (4, 4, 128)
    before = captioned.path("wsss-clip")
    table = captioned.house / CAPTIONED / TABLE
    text = table.read_text()
    table.write_text(text.replace("a photo", "a picture"))
    other = TinyRun(captioned.house, "wsss=clims", f"captions={CAPTIONED}")
    assert other.path("wsss-clip") != before and other.path(FIT) != captioned.path(FIT)
    table.unlink()
    assert fit_length(stage) is None
    table.write_text(text)


def test_without_captions_nothing_learns_them(run):
    assert "wsss-clip" not in run.stages
