"""What a class takes, read from its source: as the command line's own parser knows it, and without an import."""

import subprocess
import sys

import pytest
import yaml
from jsonargparse._parameter_resolvers import get_signature_parameters
from jsonargparse._util import import_object
from pytorch_lightning import Trainer

from mars_pl.pipeline.settings.signature import read_signature
from mars_pl.pipeline.settings.source import read_constant
from tests.pipeline.tiny_run import REPOSITORY


def class_paths(settings):
    if isinstance(settings, dict):
        if "class_path" in settings:
            yield settings["class_path"]
        for value in settings.values():
            yield from class_paths(value)
    elif isinstance(settings, list):
        for value in settings:
            yield from class_paths(value)


OPEN = {"mars_pl.dashboards.fit_logger.RunLogger", "pytorch_lightning.loggers.TensorBoardLogger"}
"""Loggers that hand further settings on to a library, which the parser looks for there."""

SHIPPED = sorted(
    {
        path
        for file in (REPOSITORY / "configs").rglob("*.yaml")
        for path in class_paths(yaml.safe_load(file.read_text()))
    }
    - OPEN
)


@pytest.mark.parametrize("path", [*SHIPPED, "pytorch_lightning.Trainer"])
def test_every_class_of_a_shipped_yaml_is_read_as_the_parser_reads_it(path):
    takes = read_signature(path)
    known = {parameter.name: parameter.default for parameter in get_signature_parameters(import_object(path))}
    assert takes.name == path.rpartition(".")[2]
    assert set(takes.settings) == set(known) or (not takes.complete and set(takes.settings) <= set(known) | {"kwargs"})
    assert {name: known[name] for name in takes.defaults} == takes.defaults
    assert takes.complete or not path.startswith(("mars_pl", "datamodules", "callbacks"))


def test_of_a_job_too():
    takes = read_signature("pytorch_lightning.Trainer", "predict")
    known = get_signature_parameters(Trainer, "predict")
    assert [parameter.name for parameter in known] == list(takes.settings)


SOURCES = {
    "package/__init__.py": "from .inner import Base as Root\nfrom package.missing import Absent\n",
    "package/inner.py": """
from __future__ import annotations
import typing
import package.values as values
from package.values import SIZE, FIRST
from dataclasses import dataclass

class Base:
    def __init__(self, width: int, *, depth: int = SIZE, made=list(), first=FIRST, minus=-1): ...

class Same(Base, typing.Generic[int]):
    def forward(self): ...

class Handing(Base):
    def __init__(self, height=2, **options):
        super().__init__(3, depth=4, **options)

class Twice:
    def __init__(self, **options):
        self.part = function(**options)
        self.other = Handing(**options)

class Peeking(Base):
    def __init__(self, **options):
        options.pop("colour", None)
        super().__init__(**options)

class Keeping:
    def __init__(self, **options):
        self.options = options

class Any:
    def __init__(self, *arguments): ...

class Unknown(nowhere.Class):
    pass

class Endless(Endless):
    pass

@dataclass(frozen=True)
class Record:
    side: int
    stride: int = 8

@dataclass
class Longer(Record):
    side: int = 3
    left: float = values.SIZE

def function(a, b=1): ...
""",
    "package/values.py": "if True:\n    SIZE: int = 7\nFIRST, SECOND = 'a', 'b'\nMADE = len('abc')\n",
    "package/broken.py": "class Broken(:\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    name = f"package_{tmp_path.name.replace('-', '_')}"  # what was read once is kept
    for path, text in SOURCES.items():
        place = tmp_path / path.replace("package", name)
        place.parent.mkdir(exist_ok=True)
        place.write_text(text.replace("package", name))
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


BASE = ("width", "depth", "made", "first", "minus")


@pytest.mark.parametrize(
    ("name", "settings", "defaults", "complete"),
    [
        ("inner.Base", BASE, {"depth": 7, "first": "a", "minus": -1}, True),  # a call has no plain value
        ("Root", BASE, {"depth": 7, "first": "a", "minus": -1}, True),
        ("inner.Same", BASE, {"depth": 7, "first": "a", "minus": -1}, True),
        ("inner.Handing", ("height", "made", "first", "minus"), {"height": 2, "first": "a", "minus": -1}, True),
        (
            "inner.Twice",
            ("a", "b", "height", "made", "first", "minus"),
            {"b": 1, "height": 2, "first": "a", "minus": -1},
            True,
        ),
        ("inner.Peeking", BASE, {"depth": 7, "first": "a", "minus": -1}, False),
        ("inner.Keeping", (), {}, False),
        ("inner.Any", (), {}, False),
        ("inner.Unknown", (), {}, False),
        ("inner.Endless", (), {}, False),
        ("inner.Record", ("side", "stride"), {"stride": 8}, True),
        ("inner.Longer", ("side", "stride", "left"), {"side": 3, "stride": 8}, True),
        ("inner.function", ("a", "b"), {"b": 1}, True),
    ],
)
def test_inheritance_and_what_is_passed_on(package, name, settings, defaults, complete):
    takes = read_signature(f"{package}.{name}")
    assert (takes.settings, takes.defaults, takes.complete) == (settings, defaults, complete)


@pytest.mark.parametrize("name", ["inner.Nothing", "Absent", "broken.Broken", "nowhere.Class", "values.SIZE"])
def test_what_cannot_be_read_is_nothing(package, name):
    assert read_signature(f"{package}.{name}") is None


def test_a_path_that_is_none_is_nothing():
    assert read_signature("None") is None and read_signature("") is None and read_signature("a..b") is None


def test_constants(package):
    assert read_constant(f"{package}.inner.SIZE") == 7
    assert read_constant(f"{package}.values.SECOND") == "b"
    for name in ("values.MADE", "values.NONE", "missing.X"):
        with pytest.raises(LookupError):
            read_constant(f"{package}.{name}")


def test_nothing_is_imported():
    code = (
        "import sys\nfrom mars_pl.pipeline.settings.signature import read_signature\n"
        "assert read_signature('pytorch_lightning.Trainer') and read_signature('mars_pl.uss.stego.head.STEGOHead')\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('torch', 'pytorch_lightning', 'numpy')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
