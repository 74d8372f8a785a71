"""The Makefile's own plan, run in process on a tiny tree with timm's test networks.

`plan` asks `make -n` which commands it would start, so that what the tests run is what a person's `make mars` runs;
`TinyRun` adds to each command what makes it small.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

import timm
import torch
import yaml

from mars_pl.cli.main import main
from mars_pl.training.weights import save_weights

REPOSITORY = Path(__file__).parents[2]
EVERY_TRAINING = ("baseline", "debiased", "complement", "mars", "mars_background", "mars_removal", "supervised")
COMMAND = re.compile(r"(?:; +|^)mars ((?:fit|predict|evaluate|report) .*?)(?: \$\(if|(?: +&& echo)|$)", re.MULTILINE)

QUIET = "--trainer.enable_progress_bar false --trainer.enable_model_summary false"
CAM = {
    "model": {
        "init_args": {
            "network": {
                "init_args": {
                    "backbone": "test_resnet",
                    "pretrained": False,
                    "frozen": [],
                    "frozen_batch_norm": False,
                }
            },
            "scales": [1.0, 0.5],
        }
    },
    "data": {"init_args": {"workers": 0, "batch_size": 2, "crop_size": 32, "long_side": [32, 48]}},
    "trainer": {"max_epochs": 12},  # enough for maps of more than one class
}
CROPS = {"data": {"init_args": {"workers": 0, "batch_size": 5, "crop_size": 32}}}
STEGO = CROPS | {"trainer": {"max_epochs": 1, "max_steps": -1}}
DEBIAS = {"data": {"init_args": {"workers": 0}}}
SEGMENT = {
    "model": {
        "init_args": {
            "network": {
                "init_args": {
                    "encoder": "test_resnet",
                    "pretrained": False,
                    "output_stride": 16,
                    "aspp_channels": 8,
                    "decoder_channels": 8,
                    "low_level_channels": 4,
                }
            },
            "scales": [1.0],
        }
    },
    "data": {"init_args": {"workers": 0, "batch_size": 2, "crop_size": 32, "long_side": [32, 48]}},
    "trainer": {"max_epochs": 1},
}


def make_house(folder: Path) -> Path:
    """Give `folder` what the Makefile needs beside data: itself, configs and an environment that looks ready."""
    (folder / "venv").mkdir(parents=True)
    for name in ("Makefile", "configs", "pyproject.toml", "constraints.txt"):
        (folder / name).symlink_to(REPOSITORY / name)
    (folder / "venv" / "ready").touch()
    return folder


def save_vit(house: Path) -> None:
    """Leave the backbone that `small` names."""
    torch.manual_seed(3)
    save_weights(timm.create_model("test_vit", num_classes=0, dynamic_img_size=True), house / "vit.safetensors")


def make(house: Path, *words: str, check: bool = True, timeout: int = 60) -> subprocess.CompletedProcess[str]:
    """Run `make` in a house; `MARS=` and the environment it asks for are the test's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "VENV=venv", *words],
        cwd=house,
        env=clean,
        check=check,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def plan(house: Path, *words: str) -> dict[str, list[str]]:
    """Return the words after `mars` of each command that `make` would start, by the folder or file it makes."""
    printed = make(house, "-n", "MARS=mars", *words).stdout
    commands: dict[str, list[str]] = {}
    for match in COMMAND.finditer(printed):
        command = shlex.split(match[1])
        if "--trainer.default_root_dir" in command:
            place = command.index("--trainer.default_root_dir") + 1
            command[place] = command[place].removesuffix(".part")
            commands.setdefault(command[place], command)
        elif "--json" in command:
            commands.setdefault(command[command.index("--json") + 1], command)
        else:
            commands.setdefault(f"{command[0]} {command[1]}", command)
    return commands


class TinyRun:
    """One run of the plan over a tree at `house`/data/voc; each stage is made when it is first asked for.

    Args:
        house: folder that holds the tree; the runs go below it.
        words: choices for the Makefile.
    """

    def __init__(self, house: Path, *words: str) -> None:
        torch.set_num_threads(1)
        self.house = make_house(house)
        save_vit(house)
        also = " ".join(name for name in EVERY_TRAINING if name not in ("baseline", "mars", "supervised"))
        self.plan = plan(house, "gap-of-seed", "DATA=voc", "TOKENS=true", "RUN=tiny", f"ALSO={also}", *words)
        self.made: set[str] = set()

    def path(self, stage: str) -> Path:
        """Where a stage is, made or not: `wsss-cam/fit` or the training's name for its folder."""
        return self.house / self._key(stage)

    def get(self, stage: str) -> Path:
        """Make a stage and what it needs, each once, and return where it is."""
        key = self._key(stage)
        if key not in self.made:
            self.made.add(key)
            for needed in self.plan:
                if any(word == needed or word.startswith(f"{needed}/") for word in self.plan[key]) and needed != key:
                    self.get(needed)
            assert self.run(self.words(stage)) == 0, stage
        return self.house / key

    def words(self, stage: str) -> list[str]:
        """Return the plan's words for a stage and what makes it small."""
        words = list(self.plan[self._key(stage)])
        return words if words[0] in ("evaluate", "report") else [*words, *small(self.house, words)]

    def run(self, words: Sequence[str]) -> int:
        """Run a command in process, in the house."""
        with chdir(self.house):
            return main(list(words))

    def another(self, stage: str, folder: str, *more: str) -> Path:
        """Make a stage once more, with other words, in a folder of its own."""
        self.get(stage)
        assert self.run([*self.words(stage), "--trainer.default_root_dir", folder, *more]) == 0
        return self.house / folder

    def _key(self, stage: str) -> str:
        if f"runs/tiny/{stage}" in self.plan:
            return f"runs/tiny/{stage}"
        training, _, job = stage.partition("/")
        fitting = [key for key in self.plan if re.match(rf"runs/tiny/segment-{training}-[^/]*/{job}$", key)]
        return fitting[0] if fitting else stage


def small(house: Path, words: list[str]) -> list[str]:
    """Return what makes a stage of a plan small enough for a test, for its command line."""
    text = " ".join(words)
    options = {"name": "test_vit", "pretrained": "false", "weights": house / "vit.safetensors", "scale": 2}
    vit = " ".join(f"--V.init_args.{name} {value}" for name, value in options.items())
    if "configs/wsss/" in text:
        overlay, more = CAM, ""
    elif "configs/uss/crops" in text:
        overlay = STEGO if words[0] == "fit" else CROPS
        more = vit.replace("V.", "model.init_args.backbone.")
    elif "configs/debias/" in text:
        overlay, more = DEBIAS, vit.replace("V.", "model.init_args.feature_extractor.init_args.backbone.")
    else:
        overlay, more = SEGMENT, ""
        filled = yaml.safe_load(Path(house, words[words.index("configs/trainer/cpu.yaml") - 2]).read_text())
        if words[0] == "fit" and filled["model"]["init_args"]["complement"]:
            more = "--model.init_args.complement.init_args.refine.init_args.workers 0"
    if words[0] == "predict" and "neighbours.yaml" not in text and "centroids.yaml" not in text:
        more += " --writer.init_args.workers 0"
    path = house / f"tiny_{len(list(house.glob('tiny_*.yaml')))}.yaml"
    path.write_text(yaml.safe_dump(overlay))
    return ["-c", str(path), *more.split(), *QUIET.split()]
