"""Two commands at once: every stage is made once, the second says that it waits, and nothing is lost."""

import json
from collections import Counter

import pytest

from mars_pl.pipeline.execution.lock import is_locked, locked
from tests.commands.run.house import line_with, wait_for
from tests.commands.run.names import BASELINE, PAPER, ROWS


def at_once(house, stage, first, second):
    """Start a command, and another one while the first stands in a stage; let go when the second waits."""
    house.says("stand", stage)
    one = house.start(*first)
    wait_for(lambda: one.poll() is not None or any(call.folder.startswith(stage) for call in house.calls()))
    two = house.start(*second)
    line = line_with(two, "waiting")
    assert line.startswith(stage) and line.endswith(": another command is making it; waiting\n")
    return one, two


def end_well(house, *running):
    """Let go, wait for the ends and return what was printed meanwhile."""
    (house.folder / "stub/stand").unlink()
    said = [run.communicate(timeout=120) for run in running]
    assert [run.returncode for run in running] == [0] * len(running), said
    return [out for out, _ in said]


def test_two_commands_on_one_run_make_each_stage_once(house):
    house.says("real", "")
    said = end_well(house, *at_once(house, "wsss-labels", [], []))
    assert Counter(call.name for call in house.calls()) == Counter([*PAPER, *BASELINE, *(f"row {row}" for row in ROWS)])
    assert not house.stages(".part")
    assert all("runs/voc/report.html" in out for out in said)
    assert list(json.loads((house.folder / "runs/voc/run.json").read_text())["rows"]) == ROWS
    assert (house.folder / "runs/voc/report.html").exists()


def test_two_runs_that_share_a_stage_both_come_to_their_report(house):
    house.says("real", "")
    end_well(house, *at_once(house, "wsss-classifier", [], ["wsss=irn"]))
    counts = Counter(call.name for call in house.calls())
    assert counts["wsss-classifier"] == counts["uss-neighbours"] == counts["uss-fit"] == 1
    assert counts["wsss-labels"] == counts["segment mars"] == 2
    for run in ("voc", "voc-irn"):
        assert (house.folder / "runs" / run / "report.html").exists()
        rows = json.loads((house.folder / "runs" / run / "metrics.json").read_text())["rows"]
        assert all(rows[name]["miou"] == 0.5 for name in ROWS)


@pytest.mark.parametrize("fails", [True, False])
def test_who_waited_makes_what_the_first_left_unfinished(house, fails):
    if fails:
        house.says("fail", "uss-neighbours")
        house.says("once", "")
    first, second = at_once(house, "uss-neighbours", ["uss-neighbours"], ["uss-neighbours"])
    (house.folder / "stub/stand").unlink()
    first.communicate(timeout=60), second.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (int(fails), 0)
    assert len(house.calls()) == 1 + fails


def test_a_plan_says_that_another_command_is_at_work(house, capsys):
    def planned():
        house.run("wsss-classifier", "-n")
        return capsys.readouterr().out.splitlines()[0]

    number = planned().split(":")[0].rsplit("-", 1)[1]
    with locked(house.folder / f"runs/stages/wsss-classifier-{number}"):
        assert planned().endswith(f"{number}: another command is making it")
    assert planned().endswith(f"{number}: was never made")


def test_a_stage_under_another_name_is_the_same_stage(house):
    """As a value that is given as the YAML has it: the names of the folders would differ."""
    end_well(house, *at_once(house, "debias-centroids", ["debias-centroids"], ["debias-centroids", "alpha=.4"]))
    assert Counter(call.name for call in house.calls()) == Counter(PAPER[:5])
    (folder,) = house.stages("debias-centroids")
    assert "alpha" not in folder.name


def test_the_lock_of_a_run_is_held_while_its_report_is_made(made, monkeypatch):
    held = []
    monkeypatch.setattr("mars_pl.commands.run.closing.report", lambda run, changed: held.append(is_locked(run.folder)))
    made.run()
    assert held == [True] and not is_locked(made.folder / "runs/voc")
