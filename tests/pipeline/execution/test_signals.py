"""Whoever ends `mars run` ends its stage too; who kills it leaves a stage that nobody writes beside."""

import os
import signal
from pathlib import Path

import pytest

from tests.commands.run.house import line_with, wait_for


def hanging(house, *words, **environment):
    """Start a run whose classifier never ends; return it and the stage's process id, once that runs."""
    house.says("hang", "wsss-classifier")
    run = house.start(*words, **environment)
    file = house.folder / "hangs"
    wait_for(lambda: run.poll() is not None or (file.exists() and file.read_text().endswith("\n")))
    return run, int(file.read_text())


def is_gone(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process_id}/stat").read_text().split()[2] == "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_stage_too_and_the_next_run_goes_on(house, number):
    (house.folder / "temporary").mkdir()
    run, stage = hanging(house, "-j", "2", TMPDIR="temporary")
    run.send_signal(number)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 128 + number
    assert said.splitlines() == [f"mars: ended by {number.name}; what is finished stays, the rest goes on next time"]
    assert is_gone(stage) and not any((house.folder / "temporary").iterdir())
    assert [path.name.endswith(".part") for path in house.stages("wsss-classifier")] == [True]
    house.behaves()
    assert "wsss-classifier" in house.run() and not house.stages(".part")


def test_a_stage_that_was_told_to_end_is_not_finished_though_it_ended_well(house):
    """As a program that answers to SIGTERM by ending early, with all it has."""
    stub = (house.folder / "stub/mars").read_text()
    (house.folder / "stub/mars").write_text(
        stub.replace(
            "exec sleep 60",
            "trap 'echo whole > \"$part/weights.safetensors\"; exit 0' TERM; sleep 60 &> /dev/null & wait",
        )
    )
    run, _ = hanging(house)
    run.terminate()
    run.communicate(timeout=60)
    assert [path.name.endswith(".part") for path in house.stages("wsss-classifier")] == [True]


def test_the_stage_of_a_killed_run_keeps_the_lock(house):
    run, stage = hanging(house)
    run.kill()
    run.wait(timeout=60)
    assert not is_gone(stage)
    (house.folder / "stub/hang").unlink()
    second = house.start("wsss-classifier")
    assert "another command is making it; waiting" in line_with(second, "waiting")
    assert len(house.calls()) == 1, "nothing is written beside the stage that still runs"
    os.kill(stage, signal.SIGKILL)
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert [call.name for call in house.calls()] == ["wsss-classifier"] * 2
    assert [path.name.endswith(".part") for path in house.stages("wsss-classifier")] == [False]
