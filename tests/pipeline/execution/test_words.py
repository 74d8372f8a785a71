import os
import sys

import pytest

from mars_pl.pipeline.execution import words
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.execution.words import command_words, mars_command
from mars_pl.pipeline.stage import Stage
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture(autouse=True)
def house(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_voc_tree(tmp_path / "data", 2)
    return tmp_path


def said(house, job, options, **more):
    stage = Stage("s", job, ("x",), house / "data", (house / "a b.yaml", house / "c.yaml"), options, (), **more)
    for path in stage.yamls:
        path.write_text("")
    places = Places()
    return command_words(places.of(stage), places), places.of(stage)


def test_a_fit_in_its_words(house):
    spoken, place = said(house, "fit", {"model.lr": 0.1, "data.flag": False, "data.labels": house / "my masks"}, seed=3)
    assert spoken == [
        *("fit", "-c", str(house / "a b.yaml"), "-c", str(house / "c.yaml"), "--seed_everything", "3"),
        *("--model.init_args.lr", "0.1", "--data.init_args.flag", "false"),
        *("--data.init_args.labels", str(house / "my masks"), "--trainer.default_root_dir", str(place.part)),
    ]


def test_a_fit_goes_on_from_its_last_checkpoint(house):
    _, place = said(house, "fit", {})
    last = place.part / "checkpoints/last.ckpt"
    last.parent.mkdir(parents=True)
    last.touch()
    assert said(house, "fit", {})[0][-2:] == ["--ckpt_path", str(last)]
    warned = place.part / "hpc_ckpt_1.ckpt"  # as SLURM's warning makes Lightning keep it
    warned.touch()
    for older, newer in ((last, warned), (warned, last)):
        os.utime(older, (1, 1))
        os.utime(newer, (2, 2))
        assert said(house, "fit", {})[0][-2:] == ["--ckpt_path", str(newer)]


def test_a_prediction_goes_on_with_what_is_left(house):
    assert said(house, "predict", {})[0][-2:] == ["--writer.init_args.resume", "true"]


def test_a_row_in_its_words(house):
    options = {"predictions": house / "masks", "truth": house / "truth", "row": "final", "where-truth": True}
    spoken, place = said(house, "evaluate", options | {"split": "val"})
    assert spoken == [
        *("evaluate", str(house / "masks"), str(house / "truth"), "--row", "final", "--where-truth", "--split", "val"),
        *("--json", str(place.part / "row.json")),
    ]


def test_an_input_is_where_its_stage_lies(house):
    first = Stage("first", "fit", ("x",), house / "data", (), {}, ())
    places = Places()
    options = {"model.weights": first / "w.safetensors", "data.label_folder": first / ""}
    spoken = command_words(places.of(Stage("s", "fit", (), house / "data", (), options, ())), places)
    folder = str(places.of(first).folder)
    assert spoken[spoken.index("--model.init_args.weights") + 1] == f"{folder}/w.safetensors"
    assert spoken[spoken.index("--data.init_args.label_folder") + 1] == folder


def test_mars_is_the_script_beside_this_python_or_else_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setattr(words.sys, "executable", str(tmp_path / "bin/python"))
    monkeypatch.setattr(words, "which", lambda name: None)
    assert mars_command() == [str(tmp_path / "bin/python"), "-P", "-m", "mars_pl.cli.main"]
    monkeypatch.setattr(words, "which", lambda name: f"/elsewhere/{name}")
    assert mars_command() == ["/elsewhere/mars"]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/mars").touch()
    assert mars_command() == [str(tmp_path / "bin/mars")] and sys.executable.startswith(str(tmp_path))
