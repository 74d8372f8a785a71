"""Every command that the README and the pages of `docs` show in a ```sh block can be typed."""

import re
import shlex

import pytest

from mars_pl.cli.main import LIGHT_COMMANDS
from tests.pipeline.tiny_run import REPOSITORY, make, make_house

FENCE = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SUBCOMMANDS = {"fit", "validate", "test", "predict", *LIGHT_COMMANDS}
README = REPOSITORY / "README.md"


def commands(text):
    """The `make` and `mars` commands in the fenced blocks, lines joined at a backslash, without prompt and comment."""
    found = []
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|;|\|", re.sub(r"(^|\s)#.*", "", line).strip().removeprefix("$ ")):
                words = shlex.split(part)
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words = words[1:]
                if words and words[0].rsplit("/", 1)[-1] in ("make", "mars"):
                    found.append([words[0].rsplit("/", 1)[-1], *words[1:]])
    return found


SHOWN = commands(README.read_text())
IN_DOCS = [words for page in sorted((REPOSITORY / "docs").glob("*.md")) for words in commands(page.read_text())]


@pytest.fixture
def house(tmp_path):
    """What a make command may ask for: data sets and masks under any name the README gives them."""
    return make_house(tmp_path / "house")


def missing_yamls(words):
    """YAMLs of the command that the repository lacks; one that a reader writes for himself lies elsewhere."""
    return [word for word in words if re.match(r"configs/.*\.ya?ml$", word) and not (REPOSITORY / word).is_file()]


def can_be_made(house, words):
    for word in words:
        name, _, value = word.partition("=")
        if name in ("DATA", "DATA_ROOT", "LABELS", "RUN"):
            for folder in (f"data/{value}", value):
                place = house / folder
                if not place.is_absolute() or place.resolve().is_relative_to(house.resolve()):
                    (place / "SegmentationClass").mkdir(parents=True, exist_ok=True)
    unknown = re.compile(r"No rule|Error|\*\*\*")
    outside = {word.partition("=")[0] for word in words if re.match(r"(DATA_ROOT|LABELS)=(/|\.\./)", word)}
    elsewhere = [f"{name}={house}/away" for name in sorted(outside)]
    (house / "away" / "SegmentationClass").mkdir(parents=True, exist_ok=True)
    done = make(house, "-n", *words, *elsewhere, check=False)
    return done.returncode == 0 and not unknown.search(done.stderr), done.stderr


@pytest.mark.parametrize("words", SHOWN + IN_DOCS, ids=" ".join)
def test_command(words, house):
    if words[0] == "make":
        possible, why = can_be_made(house, words[1:])
        assert possible, why
        for word in words[1:]:
            name, _, value = word.partition("=")
            folder = {"USS": "uss/features_", "BACKBONE": "backbone/", "SEGMENTER": "segment/", "WSSS": "wsss/"}
            folder |= {"TRAIN": "train/", "TRAINER": "trainer/", "DATA": "data/", "CENTROIDS": "debias/"}
            if name in folder:
                files = [REPOSITORY / "configs" / f"{folder[name]}{value}{suffix}" for suffix in (".yaml", ".mk")]
                assert any(file.is_file() for file in files), word
    else:
        assert words[1] in SUBCOMMANDS or words[1].startswith("-")
        assert missing_yamls(words) == []


def test_the_readme_opens_with_the_two_commands():
    assert ["make", "demo"] in SHOWN[:3] and ["make", "test"] in SHOWN[:3]


TEXT = """
```sh
$ make demo          # ten minutes
WEIGHTS=w make mars DATA=voc \\
    USS=stego
git clone x && make test
mars evaluate a b --data voc | head
```
```text
make nothing
```
"""


def test_commands_are_found_in_blocks():
    assert commands(TEXT) == [
        ["make", "demo"],
        ["make", "mars", "DATA=voc", "USS=stego"],
        ["make", "test"],
        ["mars", "evaluate", "a", "b", "--data", "voc"],
    ]


def test_what_cannot_be_typed_would_show(house):
    assert can_be_made(house, ["mars", "DATA=voc"])[0]
    assert not can_be_made(house, ["marsh"])[0]
    assert not can_be_made(house, ["mars", "DATA=voc", "SEGMENTER=deeplabv9"])[0]
    assert missing_yamls(["fit", "-c", "configs/wsss/cam.yaml", "-c", "configs/wsss/camel.yaml"])
