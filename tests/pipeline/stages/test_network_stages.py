"""The last stage by the real command with the shipped YAMLs, on eight images."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from datamodules.files.labels import read_label
from tests.pipeline.stages.stage_outputs import BIASED, IGNORED, codes, config, labels, shown
from tests.pipeline.tiny_run import EVERY_TRAINING, MARS_TRAININGS


@pytest.mark.parametrize("training", EVERY_TRAINING)
def test_each_training_leaves_a_teacher_and_a_student(tiny_run, training):
    fit = tiny_run.get(f"{training}/segment")
    teacher, student = (load_file(fit / f"{name}.safetensors") for name in ("weights", "student"))
    assert teacher.keys() == student.keys()
    assert any(not torch.equal(teacher[name], student[name]) for name in teacher)
    assert all(torch.isfinite(value).all() for value in teacher.values())
    found = config(fit, "fit")
    complement = found["model"]["init_args"]["complement"]
    rule = {"complement": "none", "mars": "paper", "mars_background": "background", "mars_removal": "removal"}
    assert (complement or {}).get("init_args", {}).get("certain") == rule.get(training)
    given = tiny_run.path("wsss-labels") / "baseline"
    own = {"baseline": given, "adele": given, "supervised": "data/voc/SegmentationClassAug"}
    own["dhr"] = tiny_run.path("mars/segment-labels")  # the masks of MARS' network
    folder = own.get(training, tiny_run.path("debias-labels"))
    assert tiny_run.house / found["data"]["init_args"]["label_folder"] == tiny_run.house / folder


def test_trainings_share_everything_but_labels_and_complement(tiny_run):
    kept = []
    for training in MARS_TRAININGS:
        found = config(tiny_run.get(f"{training}/segment"), "fit")
        found["model"]["init_args"].pop("complement")
        found["data"]["init_args"].pop("label_folder")
        found["trainer"].pop("default_root_dir")
        kept.append(found)
    assert all(found == kept[0] for found in kept)


@pytest.mark.parametrize("training", EVERY_TRAINING)
def test_each_training_predicts_masks_that_are_scored(tiny_run, training):
    for label in labels(tiny_run, tiny_run.get(f"{training}/segment-masks"), "val").values():
        assert codes(label) <= set(range(21))
    name = {"mars": "final", "debiased": "debiased-network"}.get(training, training)
    row = json.loads((tiny_run.get(f"row/{name}") / "row.json").read_text())
    assert (row["row"], row["split"], row["images"], row["network"]) == (name, "val", 2, "teacher")
    assert row["refinement"] == "crf"
    assert 0 <= row["miou"] <= 1


def test_a_split_is_predicted_from_the_settings_of_a_fit(tiny_run):
    fit = tiny_run.get("mars/segment").relative_to(tiny_run.house)
    words = ["predict", "-c", f"{fit}/fit.yaml", "-c", "segment/predictions", "--model.init_args.weights"]
    words += [f"{fit}/weights.safetensors", "--data.init_args.predict_split", "val"]
    folder = "runs/from_fit"
    assert tiny_run.run([*words, "--trainer.default_root_dir", folder]) == 0
    expected = labels(tiny_run, tiny_run.get("mars/segment-masks"), "val")
    found = labels(tiny_run, tiny_run.house / folder, "val")
    assert found.keys() == expected.keys()
    for name in found:
        assert np.array_equal(found[name], expected[name])


def test_images_from_anywhere_are_predicted_like_those_of_a_split(tiny_run, tmp_path):
    masks = labels(tiny_run, tiny_run.get("supervised/segment-masks"), "val")
    for number, name in enumerate(masks):
        place = tmp_path / "images" / ("trip" if number else "")
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(tiny_run.house / "data/voc/JPEGImages" / f"{name}.jpg", place)
    words = ["--data.init_args.images", str(tmp_path / "images"), "--data.init_args.root", "nowhere"]
    window = ["--model.init_args.window.side", "64"]  # each of them fits into it
    folder = tiny_run.another("supervised/segment-masks", "runs/images", *words, *window)
    first, *others = masks
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    assert found == {f"{first}.png", *(f"trip/{name}.png" for name in others)}
    for path in folder.rglob("*.png"):
        assert np.array_equal(read_label(path), masks[path.stem])


def test_complemented_labels_fill_the_biased_pixels_and_no_other(tiny_run):
    before = labels(tiny_run, tiny_run.get("debias-labels"))
    folder = tiny_run.get("mars/segment-complemented")
    after = labels(tiny_run, folder)
    for name in before:
        known = before[name] != BIASED
        assert (after[name][known] == before[name][known]).all()
        assert codes(after[name][~known]) <= {0, *shown(tiny_run)[name]}  # so no 254
    assert labels(tiny_run, folder / "prediction").keys() == before.keys()


def test_an_explicit_weights_file_wins_and_validation_runs_alone(tiny_run, capsys):
    fit = tiny_run.get("mars/segment")
    words = tiny_run.words("mars/segment")
    words[0] = "validate"
    root = [
        "--trainer.default_root_dir",
        "runs/validated",
        "--model.init_args.weights",
        str(fit / "weights.safetensors"),
    ]
    capsys.readouterr()
    assert tiny_run.run([*words, *root]) == 0
    printed = capsys.readouterr().out
    assert "teacher mIoU" in printed and "student mIoU" not in printed
    assert (tiny_run.house / "runs/validated/validate.yaml").is_file()


def test_the_next_round_learns_the_teachers_masks_among_the_images_classes(tiny_run):
    of_images = shown(tiny_run)
    for name, label in labels(tiny_run, tiny_run.get("mars-round2/segment-labels")).items():
        assert codes(label) <= {0, IGNORED} | of_images[name]
    found = config(tiny_run.get("mars-round2/segment"), "fit")
    assert found["model"]["init_args"]["complement"] is None
    folder = tiny_run.path("mars-round2/segment-labels").relative_to(tiny_run.house)
    assert found["data"]["init_args"]["label_folder"].rstrip("/") == str(folder)
    row = json.loads((tiny_run.get("row/labels-final-round2") / "row.json").read_text())
    assert (row["split"], row["refinement"], row["network"]) == ("train", "crf", "teacher")
