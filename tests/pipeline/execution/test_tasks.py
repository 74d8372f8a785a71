"""Stages side by side share the cores; a launcher stands before fits and predictions."""

import pytest

from mars_pl.pipeline.execution import tasks
from tests.commands.run.names import PAPER


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch):
    monkeypatch.setattr(tasks, "cores", lambda: 8)


@pytest.mark.parametrize(("jobs", "share"), [("1", "all"), ("2", "4"), ("3", "2"), ("20", "1")])
def test_stages_share_the_cores_and_the_last_fit_takes_them_all(house, jobs, share):
    house.run("-j", jobs)
    threads = {call.name: call.threads for call in house.calls()}
    assert threads.pop("segment mars") == "all"
    assert set(threads.values()) == {share}


def test_a_number_of_threads_in_the_environment_holds(house, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    house.run("-j", "2")
    assert {call.threads for call in house.calls()} == {"7"}


def test_the_order_holds_side_by_side_too(house):
    made = house.run("-j", "3")  # the stub refuses an input that is not there yet
    assert set(PAPER) <= set(made) and len(set(made)) == len(made)


def test_independent_stages_run_beside_one_another(house):
    stub = house.folder / "stub/mars"  # each of the first two waits for the other
    stub.write_text(stub.read_text().replace("while of stand; do", "while of stand && (($(wc -l < calls) < 2)); do"))
    house.says("stand", "")
    assert set(house.run("-j", "2")[:2]) == {"wsss-classifier", "uss-neighbours"}


def launcher(house, does):
    path = house.folder / "launch"
    path.write_text(f'#!/bin/bash\n{does}\nexec "$@"\n')
    path.chmod(0o755)


def test_a_launcher_stands_before_fit_and_predict_only(house):
    launcher(house, 'printf "%s " "$1" "$2" "$4" >> launched; shift 2')
    made = house.run("launch=./launch '--two words' 3")
    launched = (house.folder / "launched").read_text().split("--two words 3 ")[1:]
    assert [word.strip() for word in launched] == [
        call.words[0] for call in house.calls() if call.words[0] != "evaluate"
    ]
    assert len(launched) < len(made)


def test_the_demo_runs_two_side_by_side_and_takes_scenes(house, monkeypatch):
    seen = {}

    def execute(stages, places, jobs, launch, watcher):
        seen.update(jobs=jobs, data={stage.choices[0] for stage in stages})

    monkeypatch.setattr("mars_pl.commands.run.command.execute", execute)
    monkeypatch.setattr("mars_pl.commands.run.command.cores", lambda: 8)
    house.root.rename(house.folder / "data/scenes")
    from contextlib import chdir

    from mars_pl.commands.run.command import main

    with chdir(house.folder):
        main(["demo"])
        assert seen == {"jobs": 2, "data": {"scenes"}}
        main(["demo", "-j", "1"])
        assert seen["jobs"] == 1


def test_a_projects_own_configuration_of_the_engine_is_not_read(house):
    (house.folder / "pyproject.toml").write_text(
        "[tool.doit]\nverbosity = 'nonsense'\n[tool.doit.commands.run]\nnum_process='x'"
    )
    (house.folder / "doit.cfg").write_text("[GLOBAL]\nbackend = nonsense\n")
    assert house.run("wsss-classifier") == ["wsss-classifier"]
    assert not list(house.folder.glob(".doit*"))
