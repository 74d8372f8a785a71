"""A stage is finished when its command ended well and its outputs are there; one that was broken off goes on."""

import re

import pytest

from datamodules.errors import DataError
from tests.commands.run.names import PAPER


def fails(house, *words):
    """Run with a fault and return what was said."""
    with pytest.raises(DataError) as caught:
        house.run(*words)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def part(house, name):
    (folder,) = house.stages(name)
    assert folder.name.endswith(".part")
    return folder


def test_a_failing_command_stops_what_follows_and_keeps_what_is_finished(house):
    house.says("fail", "debias-centroids")
    complaint = fails(house)
    assert re.fullmatch(
        r"debias-centroids: its command ended with exit code 3 and said why above; see .*\.part", complaint
    )
    assert [call.name for call in house.calls()] == PAPER[:5]
    assert (part(house, "debias-centroids-") / "half.txt").exists()
    assert not house.stages("debias-labels") and not (house.folder / "runs/voc").exists()
    house.behaves()
    assert house.run()[:3] == PAPER[4:7]
    assert not house.stages(".part")


def test_a_command_that_a_signal_ended_says_which(house):
    (house.folder / "stub/mars").write_text("#!/bin/bash\nkill -KILL $$\n")
    assert "wsss-classifier: its command ended with signal SIGKILL" in fails(house)


def test_side_by_side_what_runs_comes_to_its_end_and_is_kept(house):
    stub = house.folder / "stub/mars"  # the neighbours stand until the classifier's fit has failed
    stub.write_text(stub.read_text().replace("while of stand;", "while of stand && ! ls runs/stages/*/half.txt;"))
    house.says("fail", "wsss-classifier")
    house.says("stand", "uss-neighbours")
    assert "wsss-classifier" in fails(house, "-j", "2")
    assert {call.name for call in house.calls()} == {"wsss-classifier", "uss-neighbours"}
    house.behaves()
    assert "uss-neighbours" not in house.run("-j", "2")


@pytest.mark.parametrize(
    ("what", "stages", "said"),
    [
        ("empty", "wsss-classifier", "left no weights.safetensors; is the disk full"),
        ("empty", "wsss-labels", r"left no mars and 4 more; is the disk full"),
        ("lose", "wsss-labels", r"left no mars/2007_000003\.png; is the disk full"),
        ("lose", "debias-labels", r"left no 2007_000003\.png; is the disk full"),
        ("empty", "row-voc-cam-pseudo-", r"left no row\.json; is the disk full"),
    ],
)
def test_a_command_that_ends_well_and_leaves_too_little_is_not_finished(house, what, stages, said):
    house.says(what, stages)
    house.says("lost", "2007_000003")
    complaint = fails(house)
    assert re.search(rf"{stages}.*\.part: the command ended well and {said}\?", complaint), complaint
    folder = part(house, stages)
    house.behaves()
    assert house.run()[0].replace(" ", "-") == "-".join(stages.split("-voc-cam-")).rstrip("-")
    assert not folder.exists()


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_fit_goes_on_from_its_checkpoint_if_there_is_one(house, checkpoint):
    house.says("fail", "segment-voc-mars")
    if checkpoint:
        house.says("checkpoint", "")
    fails(house)
    place = part(house, "segment-voc-mars").relative_to(house.folder)
    house.behaves()
    assert house.run()[0] == "segment mars"
    last = house.call("segment mars").after("--ckpt_path")
    assert last == (f"{place}/checkpoints/last.ckpt" if checkpoint else None)
    (finished,) = house.stages("segment-voc-mars")
    assert (finished / "half.txt").exists() and finished.name == place.name.removesuffix(".part")


def test_a_predict_job_finds_its_images_and_is_told_to_go_on(house):
    house.says("fail", "debias-labels")
    fails(house)
    (part(house, "debias-labels") / "2007_000001.png").write_text("done before")
    house.says("empty", "debias-labels")
    (house.folder / "stub/fail").unlink()
    fails(house)
    call = house.call("debias-labels")
    assert call.after("--writer.init_args.resume") == "true" and "--ckpt_path" not in call.words
    assert (part(house, "debias-labels") / "2007_000001.png").read_text() == "done before"


def test_a_plan_says_that_a_stage_goes_on(house, capsys):
    house.says("fail", "debias-centroids")
    fails(house)
    house.run("-n")
    lines = [line for line in capsys.readouterr().out.splitlines() if "debias-centroids-" in line]
    assert lines[-1].startswith("to make   ") and lines[-1].endswith(": was broken off; goes on")


@pytest.mark.parametrize("change", ["a setting", "an input"])
def test_what_is_changed_meanwhile_starts_afresh_and_the_broken_one_is_kept(house, change):
    house.says("fail", "segment-voc-mars")
    house.says("checkpoint", "")
    fails(house)
    broken = part(house, "segment-voc-mars")
    house.behaves()
    made = house.run("segment.model.lr=.5" if change == "a setting" else "alpha=.1")
    assert ("debias-labels" in made) == (change == "an input")
    assert house.call("segment mars").after("--ckpt_path") is None
    assert broken.exists()
    house.run()
    assert (
        house.call("segment mars").after("--ckpt_path") == f"{broken.relative_to(house.folder)}/checkpoints/last.ckpt"
    )
