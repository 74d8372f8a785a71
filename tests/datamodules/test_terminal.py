"""Names of classes and images may hold what Rich takes for its own marks; sizes have a unit that fits."""

from pathlib import Path

import pytest
from rich.table import Table

from datamodules import progress
from datamodules.progress import with_progress
from datamodules.terminal import on_one_line, size_words, terminal
from tests.pipeline.tiny_run import REPOSITORY

NAME = "[bold]cup[/bold] [/] :cat: [link=x]"


def test_names_are_printed_as_they_stand(capsys):
    table = Table(title=f"of {NAME}")
    table.add_column(NAME)
    table.add_row(NAME)
    terminal().print(table)
    terminal().print(NAME)
    assert capsys.readouterr().out.count(NAME) == 4


def test_the_width_is_for_files_and_pipes(capsys):
    terminal(width=30).print("word " * 20)
    terminal(stderr=True).print("word " * 20)
    printed = capsys.readouterr()
    assert max(map(len, printed.out.splitlines())) <= 30 and len(printed.err.splitlines()) == 1


def test_a_progress_bar_of_an_oddly_named_archive(monkeypatch, capsys):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    list(with_progress(range(3), 3, "unpacking a[/b].tar"))
    assert "unpacking a[/b].tar" in capsys.readouterr().err


@pytest.mark.parametrize("room", ["mars_pl", "callbacks", "datamodules"])
def test_every_console_is_made_in_one_place(room):
    made = [path for path in Path(REPOSITORY, room).rglob("*.py") if "Console(" in path.read_text(encoding="utf-8")]
    assert made == ([Path(REPOSITORY, "datamodules/terminal.py")] if room == "datamodules" else [])


def test_what_moves_the_cursor_or_ends_a_line_is_written_out():
    name = "a\nb\r\tc\x1b[31m\u202e\u2028\udce4\x7f"
    assert on_one_line(name) == r"a\nb\r\tc\x1b[31m\u202e\u2028\udce4\x7f"
    assert on_one_line("Größe 👩\u200d🌾 [bold] “x”") == "Größe 👩\u200d🌾 [bold] “x”"


def test_sizes_are_said_in_the_unit_that_fits():
    assert (size_words(2**20), size_words(3 * 2**30)) == ("1.0 MiB", "3.0 GiB")
