"""A plan says for each stage why it is to be made."""

import shutil

import pytest

from tests.commands.run.test_changed_data import image_label, image_replaced, shorter_list, true_mask


def reasons(house, capsys, *words):
    """Return the reason of each stage that is to be made, by its name."""
    capsys.readouterr()
    house.run(*words, "-n")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("to make")]
    found = {}
    for folder, reason in (line.removeprefix("to make   ").split(": ", 1) for line in lines):
        found[folder.split("-voc-")[0] + " baseline" * ("-voc-baseline" in folder)] = reason
    return found


def against(house, stage):
    (folder,) = house.stages(stage)
    return f" (against {folder.name})"


def test_a_changed_value_is_named_with_the_old_one(made, capsys):
    made.yaml("debias/labels").write_text(made.yaml("debias/labels").read_text() + "\nadded: new\n")
    said = reasons(made, capsys)
    assert said["debias-labels"] == 'added is "new", was not set' + against(made, "debias-labels")
    assert said["segment"] == "debias-labels changed" + against(made, "segment-voc-mars")
    assert said["segment-complemented"].startswith("segment changed; debias-labels changed (")
    assert "debias-centroids" not in said


@pytest.mark.parametrize(
    ("words", "stage", "reason"),
    [
        (["alpha=.3"], "debias-centroids", "writer.alpha is 0.3, was 0.4"),
        (["gamma=7"], "debias-labels", "writer.exponent is 7.0, was 2.0"),
        (["segment.trainer.max_steps=7", "train=mars"], "segment", "trainer.max_steps is 7, was not set"),
        (["seed=2"], "wsss-classifier", "seed is 2, was 0"),
        (["shifts=2"], "debias-labels", "model.feature_extractor.shifts is 2, was not set"),
        (["segment.trainer.max_steps=7"], "segment-masks baseline", "segment changed"),
    ],
)
def test_what_differs_is_said_in_words(made, capsys, words, stage, reason):
    assert reasons(made, capsys, *words)[stage].startswith(reason + " (against ")


@pytest.mark.parametrize(
    ("change", "stage", "reason"),
    [
        (shorter_list("train_aug"), "wsss-classifier", "list changed; images changed"),
        (image_replaced, "uss-neighbours", "images changed"),
        (image_label, "wsss-classifier", "image labels changed"),
        (true_mask, "debias-centroids", "truth changed"),
    ],
)
def test_changed_data_are_named(made, capsys, change, stage, reason):
    change(made)
    assert reasons(made, capsys)[stage].startswith(reason)


def test_more_than_three_differences_are_cut_and_long_values_too(made, capsys):
    yaml = made.yaml("debias/labels")
    yaml.write_text(yaml.read_text() + "\n" + "".join(f"added{number}: {'x' * 100}\n" for number in range(4)))
    said = reasons(made, capsys)["debias-labels"]
    assert said.count("…") == 4 and "added3" not in said and len(said) < 400


def test_of_several_finished_ones_the_likest_is_named(made, capsys):
    made.run("alpha=.3", "shifts=2")
    said = reasons(made, capsys, "alpha=.3", "shifts=2", "gamma=9")["debias-labels"]
    assert said.startswith("writer.exponent is 9.0, was 2.0 (against debias-labels-") and "alpha0.3-shifts2" in said


def test_a_folder_that_a_person_changed_is_no_reason_to_stop(made, capsys):
    (folder,) = made.stages("debias-centroids")
    (folder / "stage.json").write_text("{")
    (made.folder / "runs/stages/debias-centroids-note").mkdir()
    assert reasons(made, capsys, "alpha=.3")["debias-centroids"] == "was never made"


def test_weights_are_named_by_their_setting(house, capsys):
    (house.folder / "vit.safetensors").write_bytes(b"one")
    house.yaml("backbone/mine").write_text("class_path: x.Y\ninit_args: {name: vit, weights: vit.safetensors}\n")
    house.run("uss-neighbours", "backbone=mine")
    (house.folder / "vit.safetensors").write_bytes(b"two")
    said = reasons(house, capsys, "uss-neighbours", "backbone=mine")
    assert said["uss-neighbours"].startswith("model.backbone.weights changed (against ")


def test_another_list_of_the_networks_is_named(made, capsys):
    shutil.copy(made.root / "ImageSets/Segmentation/val.txt", made.root / "ImageSets/Segmentation/other.txt")
    said = reasons(made, capsys, "network_split=other")
    assert said["segment-masks"].startswith('data.predict_split is "other", was "val" (against segment-masks-')
