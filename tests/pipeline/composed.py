"""The pipeline's compositions of YAMLs, made into objects by the real command line without data, downloads or GPU."""

import sys
import types
from contextlib import chdir
from importlib.util import find_spec
from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file

from mars_pl.cli import lightning_cli
from mars_pl.cli.main import main
from mars_pl.commands.data_choice import data_choice
from tests.fakes.fake_tree import make_voc_tree


def make_composing_house(folder):
    """Give `folder` a tree of two images and the names of two classes."""
    make_voc_tree(folder / "tree", 2)
    (folder / "data" / "folder").mkdir(parents=True)
    (folder / "data" / "folder" / "classes.txt").write_text("cup\nlamp\n")
    return folder


def instantiation(house, monkeypatch):
    """Parse and instantiate as the command does, and stop short of running. Networks of paper size are made of shapes
    alone (torch's meta device), weights files are left out, and what was not there to parse is given empty."""
    seen = []
    if find_spec("segmentation_models_pytorch") is None:  # no dependency of ours, only shown in a YAML
        monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", types.SimpleNamespace(Unet=Unet))
    monkeypatch.setattr(lightning_cli.MarsCLI, "_run_subcommand", lambda cli, subcommand: seen.append(cli))
    real = lightning_cli.MarsCLI.instantiate_classes

    def of_shapes(cli):
        with torch.device("meta"):
            real(cli)

    monkeypatch.setattr(lightning_cli.MarsCLI, "instantiate_classes", of_shapes)

    def run(words):
        with chdir(house):
            assert main(words) == 0
        return seen.pop()

    return run


class Unet(torch.nn.Module):
    """Stands for that of segmentation-models-pytorch."""

    def __init__(self, encoder_name="resnet34", encoder_weights="imagenet", classes=1):
        assert encoder_weights is None
        super().__init__()
        self.head = torch.nn.Conv2d(3, classes, 1)


DOWNLOADS = {"weights": None, "pretrained": False, "encoder_weights": None}


def without_downloads(settings):
    """The same tree of settings with nothing in it but weights, left out."""
    found = {name: DOWNLOADS[name] for name in settings.keys() & DOWNLOADS.keys()}
    nested = {name: without_downloads(value) for name, value in settings.items() if isinstance(value, dict)}
    return found | {name: value for name, value in nested.items() if value}


def offline(house, words):
    """Words that take the place of downloads, of files of earlier stages and of a GPU."""
    init: dict = {}
    for word in words:
        text = yaml.safe_load(Path(word).read_text()) if word.endswith(".yaml") else {}
        init |= without_downloads((text.get("model") or {}).get("init_args") or {})
        if "/configs/backbone/" in word:
            backbone = {"class_path": text["class_path"], "init_args": {"weights": None, "pretrained": False}}
            features = any("/configs/uss/features_" in word for word in words)
            init |= {"feature_extractor": {"init_args": {"backbone": backbone}}} if features else {"backbone": backbone}
    if "--model.init_args.feature_extractor.init_args.weights" in words:
        init["feature_extractor"]["init_args"]["weights"] = None
    if "--model.init_args.weights" in words:
        init["weights"] = None
    for name in ("network", "affinity_net"):
        if f"--model.init_args.{name}.init_args.classifier_weights" in words:
            init.setdefault(name, {"init_args": {}})["init_args"]["classifier_weights"] = None
    if "--model.init_args.centroids" in words:
        init["centroids"] = "centroids.safetensors"
        rows = torch.zeros(len(classes_of(house, words)), 4)
        kinds = {"targets": rows[:, None], "biased": rows[:, None], "background": rows[:1], "whole": rows[:, 0]}
        save_file({"centroids": rows, **{name: of.clone() for name, of in kinds.items()}}, house / init["centroids"])
    if "--model.init_args.probe" in words:
        init["probe"] = "probe.safetensors"
        save_file({"weight": torch.zeros(4), "bias": torch.zeros(1)}, house / init["probe"])
    (house / "offline.yaml").write_text(yaml.safe_dump({"model": {"init_args": init}} if init else {}))
    more = (
        ["--trainer.accelerator", "cpu"] if not any(word.endswith("configs/trainer/cpu.yaml") for word in words) else []
    )
    return ["-c", "offline.yaml", *more]


def classes_of(house, words):
    with chdir(house):
        return data_choice(next(word for word in words if "/configs/data/" in word))[0]
