import importlib.metadata
import re
import tomllib

import pytest

import mars_pl
from mars_pl.cli import main as cli
from mars_pl.cli.main import LIGHT_COMMANDS, USAGE, main
from mars_pl.version import running_version
from tests.pipeline.tiny_run import REPOSITORY

JOBS = ("fit", "validate", "test", "predict")


def test_the_help_names_every_command_and_no_other(capsys):
    assert main(["--help"]) == 0
    table = USAGE.split("\n\n")[1]
    named = [word.strip(",") for line in table.splitlines() for word in re.match(r"  ((?:\w+, )*\w+)", line)[1].split()]
    assert sorted(set(named)) == sorted([*LIGHT_COMMANDS, *JOBS])
    assert capsys.readouterr().out.strip() == USAGE


def test_without_a_command_the_help_is_an_error(capsys):
    assert main([]) == 2
    assert capsys.readouterr().out.startswith("usage: mars COMMAND")


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"mars-pl {mars_pl.__version__}\n"
    assert re.match(r"\d+\.\d+", mars_pl.__version__)
    with pytest.raises(AttributeError, match="no attribute 'version_of_nothing'"):
        _ = mars_pl.version_of_nothing


def test_a_checkout_that_was_never_installed_says_so(monkeypatch):
    def nowhere(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("mars_pl.version.version", nowhere)
    said = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert running_version() == f"{said}+checkout"
    monkeypatch.setattr("mars_pl.version.CHECKOUT", REPOSITORY / "nowhere.toml")
    assert running_version() == "0+checkout"


def test_a_light_command_that_is_broken_off_by_hand_ends_in_one_line(monkeypatch, capsys):
    class Broken:
        @staticmethod
        def main(words):
            raise KeyboardInterrupt

    monkeypatch.setattr(cli.importlib, "import_module", lambda path: Broken)
    assert main(["evaluate", "a", "b"]) == 130
    assert capsys.readouterr().err == "mars: ended by SIGINT before it was done\n"
