"""Every command that the README and the pages of `docs` show in a ```sh block can be typed."""

import re
import shlex
import shutil
from dataclasses import fields
from itertools import pairwise

import pytest

from datamodules.errors import DataError
from mars_pl.cli.main import LIGHT_COMMANDS
from mars_pl.commands.predict.command import parser as predict_parser
from mars_pl.commands.recipe.command import main as recipe
from mars_pl.commands.run.command import main as run
from mars_pl.commands.run.words import RUN_WORDS, TARGETS
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.settings.configs import find_config
from tests.docs.shown import FENCE, commands
from tests.pipeline.tiny_run import REPOSITORY

LIGHTNING = ("fit", "validate", "test", "predict")
README = REPOSITORY / "README.md"
PAGES = sorted((REPOSITORY / "docs").glob("*.md"))
PLACEHOLDER = "FIT/"
"""Begins the path of a fit's own file, which a reader has and the repository has not."""

OWN = "cups"
"""A reader's own data set, whose YAML he has copied from that of a folder."""


def inline_runs(text):
    """The complete `mars run` commands within sentences."""
    outside = FENCE.sub("", text).replace("\n", " ")
    return [shlex.split(code) for code in re.findall(r"`(mars run [^`]*=[^`]*)`", outside) if "…" not in code]


SHOWN = commands(README.read_text())
IN_DOCS = [words for page in PAGES for words in commands(page.read_text())]
IN_SENTENCES = [words for page in (README, *PAGES) for words in inline_runs(page.read_text())]
MAKE_TARGETS = set(re.findall(r"^([a-z][a-z/-]*):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A folder to type in: what its data sets need to be planned with is made as a command names it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def furnish(house, words):
    """Make the folders of data and labels that a command names, those below the house."""
    named = {name.lower(): value for name, _, value in (word.partition("=") for word in words)}
    data = named.get("data", "scenes")
    for folder in (f"data/{data}", named.get("data_root"), named.get("labels")):
        if folder:
            for truth in ("SegmentationClass", "masks"):
                (house / folder / truth).mkdir(parents=True, exist_ok=True)
    if data == OWN:
        shutil.copy(find_config("data/folder"), house / f"data/{OWN}.yaml")


def check_run(house, words):
    """Plan a target as a person's `mars run … -n` does; every name, value and folder in it is read."""
    furnish(house, words)
    assert run([*words, "-n"]) == 0


def check(house, words):
    """Fail where a command cannot be typed."""
    program, first, *rest = words
    if program == "make":
        assert first in MAKE_TARGETS, f"make {first}"
        if first in TARGETS:
            check_run(house, [first, *(word for word in rest if not word.startswith("JOBS="))])
        else:
            assert rest == []
    elif first == "run":
        check_run(house, rest)
    elif first == "recipe":
        furnish(house, rest)
        assert recipe(rest) == 0
    elif first == "predict" and "--fit" in rest:
        assert predict_parser().parse_args(rest).fit
    elif first in LIGHTNING:
        configs = [value for flag, value in pairwise(rest) if flag in ("-c", "--config")]
        assert configs
        for name in configs:
            assert name.startswith(PLACEHOLDER) or find_config(name).is_relative_to(REPOSITORY)
    else:
        assert first in LIGHT_COMMANDS or first.startswith("-"), first


@pytest.mark.parametrize("words", SHOWN + IN_DOCS + IN_SENTENCES, ids=" ".join)
def test_command(words, house):
    check(house, words)


def test_the_readme_opens_with_the_two_commands():
    assert ["make", "demo"] in SHOWN[:3] and ["make", "test"] in SHOWN[:3]


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 120


@pytest.mark.parametrize("page", [README, REPOSITORY / "CONTRIBUTING.md", *PAGES], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("entry", [entry for entry in fields(Choices) if entry.metadata], ids=lambda entry: entry.name)
def test_every_choice_is_told(entry):
    [row] = re.findall(rf"^\| `{entry.name}` \|.*", told_choices(), re.MULTILINE)
    if isinstance(entry.default, str) and entry.default and entry.name != "data_root":
        assert f"`{entry.default}`" in row


@pytest.mark.parametrize("word", RUN_WORDS)
def test_every_word_of_the_run_is_told(word):
    [row] = re.findall(rf"^\| `{word}` \|.*", told_choices(), re.MULTILINE)
    assert RUN_WORDS[word][0] in row


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_told(target):
    assert f"\n| `{target}` |" in told_choices()


def told_choices():
    """docs/choices.md up to the table of what data sets prefer."""
    return (REPOSITORY / "docs" / "choices.md").read_text().split("## What a data set prefers")[0]


TEXT = """
```sh
$ make demo          # ten minutes
WEIGHTS=w mars run mars data=voc \\
    uss=stego
git clone x && make test
mars evaluate a b --data voc | head
```
Say `mars run gap data=voc` or `mars run … data=x`.
```text
make nothing
```
"""


def test_commands_are_found_in_blocks_and_sentences():
    assert commands(TEXT) == [
        ["make", "demo"],
        ["mars", "run", "mars", "data=voc", "uss=stego"],
        ["make", "test"],
        ["mars", "evaluate", "a", "b", "--data", "voc"],
    ]
    assert inline_runs(TEXT) == [["mars", "run", "gap", "data=voc"]]


@pytest.mark.parametrize(
    "line",
    [
        "mars run marsh data=voc",
        "mars run mars data=voc segmentr=smp_unet",
        "mars run mars data=voc segmenter=deeplabv9",
        "make mars data=voc segments.trainer.max_epochs=3",
        "make marsh",
        "mars fit -c wsss/camel",
        "mars fitt -c wsss/cam",
    ],
)
def test_what_cannot_be_typed_would_show(house, line):
    with pytest.raises((DataError, SystemExit, AssertionError)):
        check(house, line.split())
