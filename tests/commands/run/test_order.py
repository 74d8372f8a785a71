"""All stages in the order of the paper: each reads what those before it wrote, is made once, and a plan tells of it."""

import json
import os

import pytest

from tests.commands.run.names import BASELINE, PAPER, ROWS


def test_all_stages_in_order_then_their_figures(finished):
    house, first, _ = finished
    assert [name for name in first if name in PAPER] == PAPER
    assert [name for name in first if name in BASELINE] == BASELINE
    assert [name.removeprefix("row ") for name in first if name.startswith("row ")] == ROWS
    assert len(first) == len(PAPER + BASELINE + ROWS)
    assert len(house.stages()) == len(first) and not house.stages(".part")
    for folder in house.stages():
        facts = json.loads((folder / "stage.json").read_text())
        assert folder.name.startswith(facts["stage"]) and facts["command"][0] == "./stub/mars"
        assert json.loads((folder / "seconds.json").read_text())[facts["stage"]] >= 0


def test_each_stage_reads_what_those_before_wrote(finished):
    """The stub refuses an input that is not there; here is which one it is."""
    calls = finished[2]
    made = {call.name: f"runs/stages/{call.folder}" for call in calls}
    words = {call.name: " ".join(call.words) for call in calls}
    for reader, source, file in (
        ("wsss-labels", "wsss-classifier", "/weights.safetensors"),
        ("uss-fit", "uss-neighbours", "/neighbours.safetensors"),
        ("debias-centroids", "uss-fit", "/weights.safetensors"),
        ("debias-centroids", "wsss-labels", "/mars"),
        ("debias-labels", "debias-centroids", "/centroids.safetensors"),
        ("debias-labels", "wsss-labels", "/mars"),
        ("segment mars", "debias-labels", ""),
        ("segment baseline", "wsss-labels", "/baseline"),
        ("segment-masks mars", "segment mars", "/weights.safetensors"),
        ("segment-complemented mars", "segment mars", "/weights.safetensors"),
        ("segment-complemented mars", "debias-labels", ""),
        ("row final", "segment-masks mars", ""),
        ("row complemented", "segment-complemented mars", ""),
        ("row debiased", "wsss-labels", "/mars"),
    ):
        assert f" {made[source]}{file} " in f"{words[reader]} ", (reader, source)
    assert not any("--ckpt_path" in call.words for call in calls)


def test_a_second_run_makes_nothing_and_says_where_it_stands(made, stub):
    made.run()
    assert made.run() == []
    assert stub == [("voc", True), ("voc", True)], "the stub of the report leaves no metrics.json"
    (made.folder / "runs/voc/metrics.json").write_text("{}")
    made.run()
    assert stub[-1] == ("voc", False)


def test_a_run_folder_links_to_its_stages_and_holds_every_choice(made):
    run = made.folder / "runs/voc"
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["weights"] == os.environ.get("MARS_WEIGHTS")
    links = {path.name: path.resolve() for path in run.iterdir() if path.is_symlink()}
    assert {*PAPER[:6], "segment", "segment-masks", "segment-complemented"} <= set(links)
    assert {"segment-baseline", "segment-masks-baseline"} <= set(links)
    assert links == {name: (run / path).resolve() for name, path in manifest["stages"].items()}
    assert all(path.is_dir() for path in links.values())
    assert list(manifest["rows"]) == ROWS and all((run / path).is_file() for path in manifest["rows"].values())
    choices = manifest["choices"]
    assert choices["trainer"] == "cpu" and choices["centroids"] == "centroids" and choices["shifts"] == 1
    assert {"alpha", "gamma", "foreground_clusters", "background_clusters", "encoder", "options"} <= set(choices)
    assert not any(path.startswith("/") for path in (*manifest["stages"].values(), *manifest["labels"].values()))


def test_another_run_name_shares_all_stages_and_old_links_go(made):
    assert made.run("run=mine") == []
    assert {path.name for path in (made.folder / "runs/mine").iterdir()} == {
        path.name for path in (made.folder / "runs/voc").iterdir()
    }
    made.run("run=mine", "uss=backbone")
    left = {path.name for path in (made.folder / "runs/mine").iterdir()}
    assert "debias-labels" in left and not {"uss-fit", "uss-neighbours"} & left


def test_a_plan_makes_nothing(house, capsys):
    assert house.run("-n") == []
    plan, line, _times = capsys.readouterr().out.partition("0 of 17 stages are finished\n")
    lines = [*plan.splitlines(), line]
    assert not (house.folder / "runs").exists()
    names = [line.removeprefix("to make   ").split("-voc-")[0] for line in lines[:-1] if "row-" not in line]
    assert names[:6] == PAPER[:6]
    assert all(line.endswith(": was never made") for line in lines[:-1])


@pytest.mark.parametrize("words", [["-n", "--commands"], ["--commands", "alpha=.3", "-n"]])
def test_a_plan_shows_commands_wherever_its_flags_stand(made, capsys, words):
    made.run("alpha=.3", "-n")
    without = capsys.readouterr().out
    made.run(*words, *["alpha=.3"] * ("alpha=.3" not in words))
    shown = capsys.readouterr().out
    assert "mars predict -c configs/data/voc.yaml -c configs/debias/centroids.yaml" in shown
    assert "--writer.init_args.alpha 0.3" in shown
    commands = [line for line in shown.splitlines() if line.startswith("          mars ")]
    assert commands and [line for line in shown.splitlines() if line not in commands] == without.splitlines()


def test_the_report_of_the_stages_is_made(house, monkeypatch, capsys):
    """The one test in which nothing but the stages is a stub."""
    from mars_pl.commands.report.command import main as write_report

    def real(run, changed):
        assert changed
        write_report([str(run.folder)])

    monkeypatch.setattr("mars_pl.commands.run.closing.report", real)
    house.says("real", "")
    house.run()
    assert "MARS network" in capsys.readouterr().out
    metrics = json.loads((house.folder / "runs/voc/metrics.json").read_text())
    assert {name: row["miou"] for name, row in metrics["rows"].items() if row} == dict.fromkeys(ROWS, 0.5)
    assert "<html" in (house.folder / "runs/voc/report.html").read_text()
