"""What a run chose by itself, how long each stage takes and which fits have few steps, said before anything starts."""

import re

import pytest

from mars_pl.commands.run import expected
from mars_pl.pipeline import preferences
from mars_pl.pipeline.settings.configs import config_folder
from mars_pl.pipeline.settings.settings_file import read_settings
from tests.fakes.fake_folder import make_own_folder

CPU = {
    "machine": "two slow cores",
    "start": 10,
    "epoch": 1,
    "step": {"wsss-classifier": {"ClassificationModule": {"tf_efficientnet_lite0": 2}}},
    "image": {"wsss-labels": {"ClassificationModule": {"tf_efficientnet_lite0": 30}}},
}
FASTER = {"wsss-labels": {"ClassificationModule": {"tf_efficientnet_lite0": 10}}}
MEASURED = {"cpu": CPU, "cpu_bf16": {**CPU, "machine": "two cores with bfloat16", "image": FASTER}}


@pytest.fixture
def small(house, monkeypatch):
    """A folder of 8 images, 6 to train on, on a machine without a GPU, and weights of whatever is asked for."""
    monkeypatch.setattr(preferences, "best_size", lambda: "small")
    monkeypatch.setattr(expected, "_all_measured", lambda: MEASURED)
    make_own_folder(house.folder / "data/folder", masks=False)
    (house.folder / "weights").mkdir()
    for name in ("tf_efficientnet_lite0_imagenet", "vit_small_patch14_focus.fp16"):
        (house.folder / f"weights/{name}.safetensors").write_bytes(b"weights")
    return house


def said(house, capsys, *words):
    capsys.readouterr()
    house.run(*words)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


BATCH = "wsss-classifier.data.batch_size=2"


def test_the_size_that_the_machine_chose_is_said_with_what_it_means_before_the_first_stage(small, capsys):
    lines = said(small, capsys, "data=folder", "-n")
    (chosen,) = [line for line in lines if line.startswith("size=small, since there is no GPU: ")]
    assert "256 pixels" in chosen
    lines = said(small, capsys, "data=folder")
    assert lines[0].startswith("size=small, since there is no GPU") and lines[1].startswith("size=full instead: ")
    assert (
        lines[2].startswith("uss=stego backbone=vit_small_focus: ") and "no result of it counts as DINO's" in lines[2]
    )
    assert not any(line.startswith("size=") for line in said(small, capsys, "data=folder", "size=small", "alpha=.3"))


def test_each_stage_has_its_expected_time(small, capsys):
    lines = said(small, capsys, "data=folder", BATCH, "fewest_steps=100", "trainer=cpu")
    first = next(index for index, line in enumerate(lines) if line.startswith("— "))
    table = lines[:first]
    assert "wsss-classifier 102 steps of 2, 34 epochs of 6 images 4 min" in table  # 10 + 2 · 102 + 34 s
    assert "wsss-labels 6 images 3 min" in table  # 10 + 30 · 6 s
    assert any(line.startswith("segment mars ") for line in table), "which of the fits it is"
    (total,) = [line for line in table if line.startswith("together 7 min, and uss-neighbours, ")]
    assert total.endswith("which nobody measured; as measured on two slow cores")


def test_a_dry_run_says_what_a_folder_costs_that_was_never_made_ready_and_writes_nothing(small, capsys):
    root = small.folder / "data/folder"
    before = sorted(root.rglob("*"))
    lines = said(small, capsys, "data=folder", BATCH, "fewest_steps=100", "trainer=cpu", "-n")
    assert lines[0].startswith("data/folder: would be made ready first")
    assert "wsss-classifier 102 steps of 2, 34 epochs of 6 images 4 min" in lines
    assert "wsss-labels 6 images 3 min" in lines and sorted(root.rglob("*")) == before
    (root / "classes.txt").unlink()
    lines = said(small, capsys, "data=folder", BATCH, "trainer=cpu", "-n")
    assert not any("expected" in line for line in lines), "its fault is told when it is made ready"


def test_half_precision_has_times_of_its_own(small, capsys):
    lines = said(small, capsys, "data=folder", BATCH, "fewest_steps=100", "trainer=cpu_bf16")
    assert "wsss-labels 6 images 70 s" in lines  # 10 + 10 · 6 s
    assert any(line.endswith("as measured on two cores with bfloat16") for line in lines)


def test_a_time_is_of_the_work_that_was_measured_and_not_of_a_name(small, capsys, monkeypatch):
    stored = {"uss-fit": {"STEGOModule from tokens": {"vit_small_patch14_dinov2": 1}}}
    monkeypatch.setattr(expected, "_all_measured", lambda: {"cpu": {**CPU, "step": CPU["step"] | stored}})
    words = ("data=folder", BATCH, "uss-fit.data.batch_size=2", "fewest_steps=100", "trainer=cpu", "-n")

    def times(*more):
        lines = said(small, capsys, *words, *more)
        return {line.split(" ")[0]: line.rpartition("images ")[2] for line in lines}

    plain, other = times("tokens=true"), times("wsss=advcam", "tokens=false")
    assert (plain["wsss-classifier"], plain["wsss-labels"], plain["uss-fit"]) == ("4 min", "3 min", "2 min")
    assert other["wsss-classifier"] == "4 min", "AdvCAM's classifier is the CAM's"
    assert other["wsss-labels"] == other["uss-fit"] == "–", "by another class, and by a class that reads the images"


def test_work_from_stored_features_has_one_number_whatever_network_made_them(small, capsys, monkeypatch):
    read = {"vit_small_patch14_dinov2": 20}
    stages = {
        "debias-centroids": {"CentroidModule": read},
        "debias-labels": {"DebiasModule": read, "DebiasModule from features": 5},
    }
    monkeypatch.setattr(expected, "_all_measured", lambda: {"cpu": {**CPU, "image": stages}})
    words = ("data=folder", "trainer=cpu", "-n")
    stored, again = said(small, capsys, *words, "features=true"), said(small, capsys, *words)
    assert "debias-centroids 6 images 2 min" in stored and "debias-labels 6 images 40 s" in stored  # 10 + 5 · 6 s
    assert "debias-labels 6 images 2 min" in again  # 10 + 20 · 6 s


def test_every_shipped_time_is_of_a_stage_that_a_run_has(small, capsys, monkeypatch):
    shipped = read_settings(expected.FILE)
    monkeypatch.setattr(expected, "_all_measured", lambda: shipped)
    words = ("data=folder", "wsss=irn", "debias=labels_probed", "rounds=2", "size=small", "trainer=cpu")
    batches = [f"{fit}.data.batch_size=2" for fit in ("wsss-classifier", "wsss-propagation", "uss-fit", "segment")]
    table = [line.split() for line in said(small, capsys, *words, *batches)]
    read = "".join(path.read_text() for path in config_folder().rglob("*.yaml"))
    stages = [stage for trainer in shipped.values() for work in ("step", "image") for stage in trainer[work].values()]
    kinds = {kind.partition(" from ")[0] for stage in stages for kind in stage}
    assert kinds <= set(re.findall(r"class_path: [\w.]+\.(\w+)", read)), "a class that no job has any more"
    named = {line[0] for line in table if line and line[-1] in ("s", "min", "h")}
    assert named >= {*shipped["cpu"]["step"], *shipped["cpu"]["image"]} >= {*shipped["cpu_bf16"]["image"]}


def test_a_limit_shortens_what_a_job_reads_and_what_is_expected(small, capsys):
    lines = said(
        small, capsys, "data=folder", BATCH, "wsss-labels.data.limit=2", "debias-labels.data.limit=100", "trainer=cpu"
    )
    assert "wsss-labels 2 images 70 s" in lines  # 10 + 30 · 2 s
    assert any(line.startswith("debias-labels 6 images") for line in lines), "a list has no more than it has"


def test_a_run_of_which_nothing_was_measured_says_nothing_of_time(small, capsys):
    assert not any("expected" in line for line in said(small, capsys))


def test_gpus_were_not_measured(small, capsys):
    assert not any("expected" in line for line in said(small, capsys, "data=folder", "trainer=gpu", "size=small"))


def test_few_steps_are_said(small, capsys):
    lines = said(small, capsys, "data=folder", BATCH, "fewest_steps=0", "wsss-classifier.trainer.max_epochs=3")
    (line,) = [line for line in lines if line.startswith("wsss-classifier: ")]
    assert line == (
        "wsss-classifier: 9 steps of 2 are few, whatever the 6 images show; fewest_steps=100 or "
        "wsss-classifier.trainer.max_epochs= makes more"
    )
    few = "wsss-classifier.trainer.max_steps=2"
    assert any("wsss-classifier: 2 steps" in line for line in said(small, capsys, "data=folder", BATCH, few))
