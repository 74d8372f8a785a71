"""What the wheel holds: everything that runs, and nothing that only a checkout needs."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

REPOSITORY = Path(__file__).parents[1]

SOURCES = ("mars_pl", "callbacks", "datamodules", "configs", "tests", "docs", "notebooks", "tools")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
NESTED = "configs/wsss/somewhere/cam.yaml"


def build(kind, tree, target):
    """Call the build backend that pip calls, without pip and without a network."""
    code = f"import sys\nfrom setuptools.build_meta import {kind} as build\nbuild(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(target)], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [built] = target.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built, as an installer does it, from a source archive; of a tree in which an earlier build left something."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    for name in SOURCES:
        shutil.copytree(REPOSITORY / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in FILES:
        shutil.copy(REPOSITORY / name, tree / name)
    (tree / NESTED).parent.mkdir(parents=True)
    (tree / NESTED).write_text("trainer: {}\n")
    with tarfile.open(build("build_sdist", tree, folder / "archive")) as archive:
        archive.extractall(folder / "extracted", filter="data")
    [source] = (folder / "extracted").iterdir()
    stale = source / "build/lib/mars_pl/configs/wsss/gone.yaml"
    stale.parent.mkdir(parents=True)
    stale.write_text("trainer: {}\n")
    with ZipFile(build("build_wheel", source, folder / "wheel")) as file:
        yield file


def files_of(*folders, suffix):
    paths = [path for folder in folders for path in (REPOSITORY / folder).rglob(f"*{suffix}")]
    return {str(path.relative_to(REPOSITORY)) for path in paths}


def test_every_yaml_travels(wheel):
    ours = {f"mars_pl/{name}" for name in files_of("configs", suffix=".yaml") | {NESTED}}
    assert {name for name in wheel.namelist() if name.startswith("mars_pl/configs/")} == ours


def test_every_module_and_what_modules_read_travels(wheel):
    packages = ("mars_pl", "callbacks", "datamodules")
    wanted = files_of(*packages, suffix=".py") | files_of("mars_pl", suffix=".html")
    wanted |= files_of("mars_pl", suffix=".css") | files_of("mars_pl", suffix=".js")
    wanted |= files_of("mars_pl", suffix=".safetensors") | {f"{name}/py.typed" for name in packages}
    wanted |= files_of(*packages, suffix=".yaml")
    assert wanted <= set(wheel.namelist())
    assert {"mars_pl/uss/scenes_vit.safetensors", "mars_pl/cli/predict_defaults.yaml"} <= wanted


def test_nothing_else_travels(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mars_pl", "callbacks", "datamodules"}


def test_its_card_holds_licence_command_and_pythons(wheel):
    card = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    folder = card.split("/")[0]
    assert f"{folder}/licenses/LICENSE" in wheel.namelist()
    assert "mars = mars_pl.cli.main:console" in wheel.read(f"{folder}/entry_points.txt").decode()
    told = Parser().parsestr(wheel.read(card).decode())
    pythons = set(re.findall(r"Python :: (3\.\d+)", "\n".join(told.get_all("Classifier"))))
    assert pythons == {"3.11", "3.12", "3.13"}
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/test.yml").read_text())
    [job] = workflow["jobs"].values()
    assert set(job["strategy"]["matrix"]["python"]) == pythons, "what is claimed is what is tested"


def test_the_citation_is_of_this_package():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert citation["version"] == project["version"]
    assert (citation["title"], citation["license"]) == (project["name"], project["license"])
    assert citation["preferred-citation"]["url"] == project["urls"]["Paper"]
    assert citation["preferred-citation"]["title"].startswith("MARS: ")


def test_the_image_is_built_from_what_is_there():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    sources = {name for line in copied for name in line.split()}
    admitted = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources == admitted, "the ignore file lets through what is copied, and nothing else"
    assert {"configs", *FILES} < sources and all((REPOSITORY / name).exists() for name in sources)
