"""Old class paths go on working, and say what to write."""

import importlib
import logging
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest
import yaml

from mars_pl.cli import lightning_cli
from mars_pl.cli.main import main
from mars_pl.renamed import MODULES, NAMES, RenamedModules
from mars_pl.wsss.propagation.confident_label import ThresholdConfidentLabels
from tests.fakes.fake_tree import make_voc_tree

VOC = Path(__file__).parents[1] / "configs" / "data" / "voc.yaml"


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    """Each test imports old modules for the first time, in the only process of its job."""
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    for rank in ("RANK", "LOCAL_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(rank, raising=False)


@pytest.mark.parametrize("old", MODULES)
def test_every_new_module_is_there_and_no_old_one(old):
    new = importlib.import_module(MODULES[old])
    assert isinstance(importlib.import_module(old).__loader__, RenamedModules), "a module is back under its old path"
    kept = next(name for name, value in vars(new).items() if getattr(value, "__module__", "") == new.__name__)
    assert getattr(importlib.import_module(old), kept) is getattr(new, kept)


@pytest.mark.parametrize("old", NAMES)
def test_every_new_name_is_there(old):
    assert resolve_name(old) is resolve_name(NAMES[old])
    assert old.rpartition(".")[0] in MODULES


def test_the_new_path_is_said_once_in_one_line(caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert resolve_name("mars_pl.wsss.sure_label.ThresholdSureLabels") is ThresholdConfidentLabels
    [record] = caplog.records
    assert record.getMessage() == (
        "mars_pl.wsss.sure_label.ThresholdSureLabels has moved: write "
        "mars_pl.wsss.propagation.confident_label.ThresholdConfidentLabels before the next release"
    )


def test_the_first_process_says_it_for_all(caplog, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert resolve_name("mars_pl.wsss.classifier.CAMClassifier").__name__ == "CAMClassifier"
    assert not caplog.records


def test_an_unknown_name_fails_as_before():
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'mars_pl\.wsss\.never'$"):
        importlib.import_module("mars_pl.wsss.never")
    with pytest.raises(ImportError, match=r"cannot import name 'Never' from 'datamodules\.labels'"):
        exec("from datamodules.labels import Never")
    with pytest.raises(AttributeError, match=r"'datamodules\.labels', now 'datamodules\.files\.labels', has no"):
        resolve_name("datamodules.labels.Never")


def test_imports_of_python_work_and_data_alone_knows_nothing_of_it():
    code = "import {}\nfrom datamodules.labels import read_label\nprint(read_label.__module__)"
    done = [
        subprocess.run([sys.executable, "-c", code.format(name)], capture_output=True, text=True, timeout=60)
        for name in ("mars_pl", "datamodules")
    ]
    assert done[0].stdout == "datamodules.files.labels\n"
    assert done[0].stderr == (
        "datamodules.labels.read_label has moved: write datamodules.files.labels.read_label before the next release\n"
    )
    assert "ModuleNotFoundError: No module named 'datamodules.labels'" in done[1].stderr


OLD = {
    "model": {
        "class_path": "mars_pl.wsss.classification_module.ClassificationModule",
        "init_args": {
            "network": {
                "class_path": "mars_pl.wsss.classifier.CAMClassifier",
                "init_args": {"backbone": "test_resnet", "pretrained": False},
            }
        },
    }
}


@pytest.fixture
def words(tmp_path):
    """The words of a fit by settings that a user has in a YAML."""
    make_voc_tree(tmp_path / "tree", 2)

    def write(settings):
        (tmp_path / "old.yaml").write_text(yaml.safe_dump(settings))
        return [
            "fit",
            "-c",
            str(VOC),
            "-c",
            str(tmp_path / "old.yaml"),
            "--data.init_args.root",
            str(tmp_path / "tree"),
        ]

    return write


def test_a_yaml_of_old_paths_becomes_the_new_classes(words, monkeypatch, caplog):
    seen = []
    monkeypatch.setattr(lightning_cli.MarsCLI, "_run_subcommand", lambda cli, subcommand: seen.append(cli))
    assert main(words(OLD)) == 0
    assert type(seen[0].model).__module__ == "mars_pl.wsss.cam.classification_module"
    assert type(seen[0].model.network).__module__ == "mars_pl.wsss.cam.classifier"
    said = [record.getMessage().split()[0] for record in caplog.records if record.name == "mars_pl.renamed"]
    assert said == [OLD["model"]["class_path"], OLD["model"]["init_args"]["network"]["class_path"]]


def test_a_yaml_of_an_unknown_path_is_refused_in_one_line(words, capsys):
    assert main(words({"model": {"class_path": "mars_pl.wsss.never.Never"}})) != 0
    error = capsys.readouterr().err
    assert "module 'mars_pl.wsss' has no attribute 'never'" in error and error.count("\n") == 1
