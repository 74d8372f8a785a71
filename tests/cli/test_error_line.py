import json
import os

from mars_pl.cli import error_line
from mars_pl.cli.error_line import TORCHRUN, say_error


def test_the_first_process_says_it_and_torchrun_repeats_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv(TORCHRUN, str(tmp_path / "error.json"))
    say_error("a.jpg: no such image", os.getppid())
    assert capsys.readouterr().err == "mars: error: a.jpg: no such image\n"
    told = json.loads((tmp_path / "error.json").read_text())["message"]
    assert told["message"] == "mars: error: a.jpg: no such image" and told["extraInfo"]["timestamp"].isdecimal()


def test_a_later_process_is_silent_where_the_first_has_ended_and_speaks_where_it_lives_on(monkeypatch, capsys):
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.delenv(TORCHRUN, raising=False)
    say_error("gone", os.getppid() + 1)  # whoever started this process is another one now
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(error_line, "PATIENCE", 0.0)
    say_error("mine alone", os.getppid())
    assert capsys.readouterr().err == "mars: error: mine alone\n"


def test_a_name_of_several_lines_stays_on_one(monkeypatch, capsys):
    monkeypatch.setenv("LOCAL_RANK", "0")
    say_error("a\nb\x1b[2J.jpg: no such image", os.getppid())
    assert capsys.readouterr().err == "mars: error: a\\nb\\x1b[2J.jpg: no such image\n"
