"""The shell's completion, asked as a shell asks it."""

import importlib
import shutil
import subprocess
import sys

import pytest

from mars_pl.cli.main import FITTED, LIGHT_COMMANDS, main
from mars_pl.commands.completion.parser import completing_parser, values_of
from tests.processes.job_environment import environment_of_job


def offered(line, shell="bash"):
    """What is offered at the end of a typed line: argcomplete's protocol, its answer on a descriptor of its own."""
    told = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": shell,
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_COMP_WORDBREAKS": " \t\n\"'><=;|&(:",  # bash's own: it takes = for the end of a word
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    code = "from mars_pl.cli.main import console; console()"
    asked = ["bash", "-c", 'exec 8>&1 9>&2 >/dev/null; exec "$0" -c "$1"', sys.executable, code]
    done = subprocess.run(
        asked, env=environment_of_job() | told, capture_output=True, text=True, timeout=60, check=False
    )
    return [word.strip() for word in done.stdout.split("\n") if word.strip()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mars comp", {"compare", "completion"}),
        ("mars run g", {"gap"}),
        ("mars run mars g", {"gamma="}),
        ("mars run mars --c", {"--commands"}),
        ("mars sweep runs/a al", {"alpha="}),
        ("mars weights ", {"import", "fetch"}),
        ("mars weights fetch da", {"data="}),
        ("mars data s", {"shards"}),
        ("mars data shards --", {"--help"}),
        ("mars predict --f", {"--fit"}),
        ("mars predict -c trainer/cpu", {"trainer/cpu_bf16"}),
        ("mars export --n", {"--network"}),
        ("mars run mars data=voc", {"voc", "voc_animals"}),
        ("mars run mars wandb=o", {"off", "offline", "online"}),
        ("mars run mars tokens=", {"true", "false"}),
        ("mars recipe wsss=s", {"seam"}),
        ("mars fit -c trainer/cpu", {"trainer/cpu", "trainer/cpu_bf16"}),
        ("mars check ", {"data", "labels", "archive"}),
    ],
)
def test_what_is_offered(line, expected):
    assert expected <= set(offered(line))


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_takes_the_script(capsys):
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    assert "mars" in script


def test_without_argcomplete_one_line_says_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "argcomplete.shell_integration", None)
    assert main(["completion", "zsh"]) == 1
    assert capsys.readouterr().err.strip() == (
        "mars: error: argcomplete is not installed; pip install 'mars-pl[completion]'"
    )


def test_numbers_and_places_offer_nothing():
    assert not values_of("alpha")
    assert not values_of("data_root")


@pytest.mark.parametrize("name", [*LIGHT_COMMANDS, "predict"])
def test_every_command_is_completed_from_its_own_words(name):
    commands = {**LIGHT_COMMANDS, "predict": FITTED}
    parser = completing_parser(commands, ["predict"], f"mars {name} ")
    with pytest.raises(SystemExit) as ended:
        parser.parse_args([name, "--no-such-word"])
    assert ended.value.code == 2
    assert importlib.import_module(commands[name]).parser().prog == f"mars {name}"
