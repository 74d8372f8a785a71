"""The table of `make faults`; the faults themselves take half an hour."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.faults.house import MARK, alive, digests
from tests.faults.outcome import Outcome, last_line, show


def test_a_fault_that_did_not_end_well_is_counted_and_shown(capsys):
    found = [
        Outcome("a kill", "killed in [bold]segment", True, same=True),
        Outcome("a full disk", "silent", False, said="Traceback of it"),
    ]
    assert show(found) == 1
    said = capsys.readouterr().out
    assert "Traceback of it" in said and "killed in [bold]segment" in said
    assert "2 faults, 1 of them not as they should be" in said


def test_the_last_line_is_the_last_that_says_something():
    assert last_line("one\ntwo\n \n") == "two"
    assert last_line("") == "nothing"


def test_what_a_command_left_behind_is_found_until_it_is_gone():
    words = [sys.executable, "-c", "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)"]
    subprocess.run(words, env=os.environ | {MARK: "this test"}, timeout=60, check=True)
    (left,) = alive("this test")
    assert alive("another") == []
    os.kill(left, signal.SIGKILL)
    until = time.monotonic() + 10
    while alive("this test") and time.monotonic() < until:
        time.sleep(0.05)
    assert alive("this test") == []


@pytest.mark.parametrize("name", ["a.png", "below/b.png", "weights.safetensors"])
def test_what_is_compared_are_bytes_by_name(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"one")
    first = digests(tmp_path)
    assert list(first) == [name]
    path.write_bytes(b"two")
    assert digests(tmp_path) != first
