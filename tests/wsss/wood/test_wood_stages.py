"""WSSS=wood through the real command with the shipped YAMLs: a classifier, W-OoD from it, then AdvCAM's stages."""

import pytest
import torch
from safetensors.torch import load_file

from datamodules.errors import DataError
from datamodules.synthetic.generator import write_outside
from mars_pl.pipeline.choices import read_choices
from mars_pl.pipeline.data_set import prepare
from mars_pl.pipeline.settings.resolved import resolve
from mars_pl.pipeline.settings.yamls import of_method
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.stages.stage_outputs import codes, config, labels, shown
from tests.pipeline.tiny_run import TinyRun, planned_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    house = tmp_path_factory.mktemp("wood")
    make_voc_tree(house / "data" / "voc", 8, image_labels="npy")
    write_outside(house / "data" / "voc" / "Outside", 1, 50)
    quick = "wsss-scores.model.iterations=2"
    return TinyRun(house, "wsss=wood", "ood=Outside", quick)


def test_the_second_classifier_goes_on_with_the_first(run):
    first, second = run.get("cam/wsss-classifier"), run.get("cam-wood/wsss-classifier")
    found = config(second, "fit")
    assert found["model"]["class_path"].endswith("OutOfDistributionModule")
    assert found["model"]["init_args"]["lr"] == 0.1, "what W-OoD does not say is IRNet's"
    assert found["data"]["init_args"]["training_set"]["init_args"]["folder"].endswith("data/voc/Outside")
    assert str(first.name) in found["model"]["init_args"]["weights"]
    before, after = (load_file(fit / "weights.safetensors") for fit in (first, second))
    assert before.keys() == after.keys()
    assert any(not torch.equal(value, after[key]) for key, value in before.items())


def test_scores_and_labels_are_advcams_of_it(run):
    folder = run.get("wsss-scores")
    scored = config(folder, "predict")
    assert scored["model"]["class_path"].endswith("AdvCAMModule")
    assert "cam-wood" in scored["model"]["init_args"]["weights"]
    assert scored["writer"]["init_args"]["confident"]["init_args"]["foreground_score"] == 0.3
    for image_id, label in labels(run, folder / "confident").items():
        assert codes(label) <= {0, 255, *shown(run)[image_id]}
    stage = run.stages["wsss-labels"]
    settings = resolve(stage.yamls, stage.options)
    assert settings["writer"]["init_args"]["background_scores"] == {"mars": 0.22, "baseline": 0.22}
    assert settings["model"]["init_args"]["seed_exponent"] == 1.5, "AdvCAM's"


def test_without_a_folder_of_pictures_nothing_is_planned():
    with pytest.raises(
        DataError, match=r"^ood=: wsss=wood learns from pictures that show none of the classes too; name"
    ):
        read_choices({"data": "voc", "wsss": "wood"}, {})
    assert read_choices({"data": "voc", "wsss": "irn"}, {}).ood == ""


def test_scenes_draw_their_own_pictures_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "mars_pl.pipeline.data_set.write_scenes", lambda root, *_: (root / "ImageSets").mkdir(parents=True)
    )
    seen = []
    monkeypatch.setattr(
        "mars_pl.pipeline.data_set.write_outside", lambda folder, seed: seen.append((str(folder), seed))
    )
    for wsss in ("irn", "wood"):
        prepare(read_choices({"data": "scenes", "wsss": wsss}, {}))
    assert seen == [("data/scenes/OutOfDistribution", 1)], "of another seed than the scenes"


def test_scenes_go_on_for_a_third_of_the_epochs(tmp_path):
    settings = resolve(of_method(["full", "scenes"], "wood", "cam"), {})
    assert settings["trainer"]["max_epochs"] == 5
    network = resolve(of_method(["full", "scenes"], "irn", "cam"), {})["model"]["init_args"]["network"]
    network["init_args"]["frozen_batch_norm"] = True
    assert settings["model"]["init_args"]["network"] == network, "as published: its batch norms stand still"


def test_methods_that_stand_on_one_classifier_share_its_fit(tmp_path):
    make_voc_tree(tmp_path / "data" / "voc", 8, image_labels="npy")
    planned = {
        wsss: planned_run(tmp_path, "mars", f"wsss={wsss}", "ood=Outside").every_stage() for wsss in ("irn", "wood")
    }
    firsts = [
        next(stage for stage in stages if stage.name == "wsss-classifier" and "wood" not in stage.choices)
        for stages in planned.values()
    ]
    assert firsts[0].yamls == firsts[1].yamls and firsts[0].options == firsts[1].options
