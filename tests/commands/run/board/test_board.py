"""`mars run … wandb=offline`: a run there for each stage with something to show, once, under one group."""

import json
import os
import shutil
from types import SimpleNamespace

import pytest

from datamodules.errors import DataError
from mars_pl.cli.main import main
from tests.commands.run.names import PAPER
from tests.dashboards.offline_run import read_offline_runs


def logged(house, run="voc"):
    """Return the offline runs of a run, by their names."""
    return {one.name: one for one in read_offline_runs(house.folder / "runs" / run)}


def told(house):
    """Return what the fits were told of themselves."""
    path = house.folder / "told"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def board(made):
    """A house in which everything was made without a dashboard, and then looked at with one; its masks are real."""
    for path in (made.folder / "runs/stages").rglob("2007_*.png"):
        path.write_bytes((made.root / "SegmentationClass" / path.name).read_bytes())
        if path.parent.name == "mars":
            shutil.copy(path, path.parents[1] / "baseline")
    (fit,) = made.stages("segment-voc-mars")
    (fit / "metrics.csv").write_text("epoch,step,train/loss,val/teacher/miou\n0,0,2.5,\n0,1,1.5,\n0,1,,0.25\n")
    assert made.run("wandb=offline") == [], "logging makes no stage again"
    return made


def test_what_was_finished_before_is_logged_under_one_group(board):
    runs = logged(board)
    rows = {"pseudo", "pseudo-baseline", "debiased", "complemented", "baseline", "final"}
    assert runs.keys() == {
        *(f"evaluate {row} seed 0" for row in rows),
        "debias labels cam seed 0",
        "debias centroids cam seed 0",
        "segment mars seed 0",
        "voc run",
    }, "no empty runs of stages that have nothing to show"
    for run in runs.values():
        assert run.group == "voc" and run.exit_code == 0 and run.rows
        assert run.config["choices"]["wsss"] == "cam" and run.config["data"]["images"]["val"] == 1
        assert run.config["data"]["images_with"]["aeroplane"] >= 1 and run.config["versions"]["torch"]
    row = runs["evaluate final seed 0"]
    assert row.job_type == "evaluate" and {"voc", "mars"} <= set(row.tags) and row.last("miou") == 0.5
    assert {"image", "classes", "miou", "fp", "fn", "picture"} == row.table("worst_images")[0].keys()
    assert row.table("worst_images")[0]["miou"] == 1, "the masks are the truth"
    fit = runs["segment mars seed 0"]
    assert fit.job_type == "segment" and fit.config["settings"]["model"]["class"] == "SegmentationModule"
    assert fit.curve("train/loss") == [2.5, 1.5] and fit.curve("val/teacher/miou") == [0.25]
    assert fit.curve("trainer/global_step") == [0, 1, 1]
    whole = runs["voc run"]
    assert whole.job_type == "run" and whole.last("final/miou") == 0.5
    assert next(line["row"] for line in whole.table("rows")).startswith("Yᵇ")
    shown = {key.split("/")[1] for key in whole.keys if key.startswith("overlays/")}
    assert shown == {"2007_000001", "2007_000002"}
    masks = {key.split("/")[3] for key in whole.keys if "/masks/" in key}
    assert masks == {"truth", "Yᵇ", "Yᵈᵇ", "Yᶜᵒ", "prediction"}
    assert whole.class_labels["overlays/2007_000001 Yᵇ"]["1"] == "aeroplane"
    biased = runs["debias labels cam seed 0"].table("most_biased_images")
    assert [line["removed"] for line in biased] == [0.0] * len(biased)


def test_nothing_is_logged_twice(board):
    before = {path.name for path in (board.folder / "runs/voc/wandb").iterdir()}
    assert board.run("wandb=offline") == []
    assert {path.name for path in (board.folder / "runs/voc/wandb").iterdir()} == before
    board.says("real", "")
    assert board.run("wandb=offline", "train=debiased", "run=other")[0] == "segment debiased"
    assert {run.job_type for run in logged(board, "other").values()} == {"evaluate", "run"}, "what is shared is logged"


def test_a_fit_is_told_who_it_is_and_goes_on_under_the_same_id(house):
    house.says("fail", "segment-voc-mars")
    with pytest.raises(DataError):
        house.run("wandb=offline", "wandb_artifacts=true")
    house.behaves()
    names = [one["name"] for one in told(house)]
    assert names[:2] == ["wsss classifier cam seed 0", "uss fit stego seed 0"] and len(names) == len(set(names))
    first = told(house)[-1]
    assert first["name"] == "segment mars seed 0" and first["group"] == "voc" and first["mode"] == "offline"
    assert first["artifacts"] and first["tags"][:2] == ["voc", "mars"]
    assert first["folder"] == str(house.folder / "runs/voc")
    house.says("real", "")
    house.run("wandb=offline")
    assert told(house)[len(names)]["id"] == first["id"]
    assert "segment mars seed 0" not in logged(house), "it has logged by itself"


def test_without_the_word_nothing_is_told_and_nothing_lies_there(house, monkeypatch):
    house.run()
    assert [call.name for call in house.calls()][: len(PAPER)] == PAPER and not told(house)
    assert not list((house.folder / "runs").rglob("wandb*"))


def test_a_dashboard_that_fails_ends_no_stage(made, capsys, monkeypatch):
    def refuse(*_, **__):
        raise OSError("the disk is\nfull")

    monkeypatch.setattr("mars_pl.commands.run.board.board.opened", refuse)
    made.run("wandb=offline")
    said = capsys.readouterr().err.splitlines()
    assert any("voc is made but not logged (the disk is full); the same command tries again" in line for line in said)
    monkeypatch.undo()


def test_a_sweep_is_the_run_as_a_whole(made, monkeypatch):
    monkeypatch.setenv("WANDB_SWEEP_ID", "abc")
    monkeypatch.setenv("WANDB_RUN_ID", "point7")
    made.says("real", "")
    made.run("wandb=offline", "alpha=.2")
    runs = logged(made, "voc-alpha0.2")
    assert [one.name for one in runs.values() if one.id == "point7"] == ["voc-alpha0.2 run"]
    assert "WANDB_SWEEP_ID" not in os.environ and len(runs) > 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wandb=on"], "wandb=on: none of offline, online and off"),
        (["wandb=offline", "wandb_artifacts=yes"], "wandb_artifacts=yes: neither true nor false"),
        (["wandb_artifacts=true"], "nothing is logged without wandb=offline"),
        (["wandb=online"], "run `wandb login` or set WANDB_API_KEY once"),
    ],
)
def test_what_cannot_be_is_said_at_once(house, words, said, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.chdir(house.folder)
    assert main(["run", "mars", "data=voc", *words]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mars: error: ") and said in line
    assert not (house.folder / "runs").exists()


def test_a_server_that_does_not_answer_is_said_at_once(house, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    settings = SimpleNamespace(settings=SimpleNamespace(base_url="http://127.0.0.1:9"))
    monkeypatch.setattr("wandb.setup", lambda: settings)
    monkeypatch.chdir(house.folder)
    assert main(["run", "mars", "data=voc", "wandb=online"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "http://127.0.0.1:9 does not answer" in line and "wandb=offline" in line
