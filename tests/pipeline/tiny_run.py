"""The pipeline's own stages, run in process on a tiny tree with timm's test networks.

`plan` asks the pipeline which commands it would start, so that what the tests run is what a person's `mars run` runs;
`TinyRun` adds to each command what makes it small.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

import timm
import torch
import yaml

from mars_pl.cli.main import main
from mars_pl.commands.run import targets
from mars_pl.commands.run.words import sort_words
from mars_pl.pipeline.choices import read_choices
from mars_pl.pipeline.data_set import prepare
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.execution.words import command_words
from mars_pl.pipeline.methods import METHODS
from mars_pl.pipeline.run_folder import Run
from mars_pl.pipeline.stage import Stage
from mars_pl.training.weights import save_weights

REPOSITORY = Path(__file__).parents[2]
MARS_TRAININGS = ("baseline", "debiased", "complement", "mars", "mars_background", "mars_removal", "supervised")
EVERY_TRAINING = (*MARS_TRAININGS, "adele", "dhr")
ALSO = "also=" + ",".join(name for name in EVERY_TRAINING if name not in ("baseline", "mars", "supervised"))

QUIET = "--trainer.enable_progress_bar false --trainer.enable_model_summary false"
SMALL_CROPS = {"training_set": {"init_args": {"crop_size": 32, "long_side": [32, 48]}}}
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
    "data": {"init_args": {"workers": 0, "batch_size": 2} | SMALL_CROPS},
    "trainer": {"max_epochs": 12},  # enough for maps of more than one class
}
CROPS = {"data": {"init_args": {"workers": 0, "batch_size": 5, "training_set": {"init_args": {"crop_size": 32}}}}}
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
    "data": {"init_args": {"workers": 0, "batch_size": 2} | SMALL_CROPS},
    "trainer": {"max_epochs": 1},
}


def save_vit(house: Path) -> None:
    """Leave the backbone that `small` names."""
    torch.manual_seed(3)
    save_weights(timm.create_model("test_vit", num_classes=0, dynamic_img_size=True), house / "vit.safetensors")


def planned_run(house: Path, target: str, *words: str) -> Run:
    """Return the run that a target makes of ``name=value`` words; of `gap` the first seed's."""
    sorted_words = sort_words(("data=voc", "trainer=cpu", *words))
    with chdir(house):
        choices = read_choices(sorted_words.choices, sorted_words.options)
        if target == "gap":
            return targets.gap(
                choices, sorted_words.seeds("seeds") or [choices.seed], sorted_words.seeds("segment_seeds")
            )[0]
        if target == "server":
            return targets.server(choices, sorted_words.of_run("server_split"))
        return targets.mars(choices, sorted_words.of_run("run"))


def prepare_data(house: Path, *words: str) -> None:
    """Bring the data of a house into the layout that stages read, as `mars run` does before it plans."""
    with chdir(house):
        prepare(read_choices(sort_words(words).choices, {}))


def key_of(stage: Stage) -> str:
    """Return a stage's name in the tests: ``debias-labels``, ``cam/wsss-classifier``, ``mars/segment``, ``row/final``.

    What is there several times in a run says first whose it is, ``mars-round2/segment`` in a later round,
    ``cam-wood/wsss-classifier`` of a classifier that starts from another method's.
    """
    if stage.job == "evaluate":
        return f"row/{stage.options['row']}"
    several = stage.name.startswith("segment") or stage.name == "wsss-classifier"
    later = "".join(f"-{word}" for word in stage.choices if re.fullmatch(r"round\d+", word))
    if stage.name == "wsss-classifier":
        later = "".join(f"-{word}" for word in stage.choices if word in METHODS and METHODS[word].begins_with)
    return f"{stage.choices[1]}{later}/{stage.name}" if several else stage.name


def plan(house: Path, target: str, *words: str) -> dict[str, list[str]]:
    """Return the words after `mars` of each stage of a target, by `key_of`."""
    places = Places()
    with chdir(house):
        stages = planned_run(house, target, *words).every_stage()
        return {key_of(stage): command_words(places.of(stage), places) for stage in stages}


class TinyRun:
    """One run over a tree at `house`/data/voc, or of other data; each stage is made when it is first asked for.

    Args:
        house: folder that holds the tree; the runs go below it.
        words: choices.
    """

    def __init__(self, house: Path, *words: str) -> None:
        torch.set_num_threads(1)
        self.house = house
        save_vit(house)
        prepare_data(house, "data=voc", *words)
        self.places = Places()
        with chdir(house):
            truth = "data=" not in " ".join(words) and (house / "data/voc/SegmentationClass").is_dir()
            self.planned = planned_run(house, "gap" if truth else "mars", "tokens=true", "rounds=2", ALSO, *words)
            if not truth and not self.planned.rows:
                self.planned.stages |= self._trainings("baseline")
            self.stages = {key_of(stage): stage for stage in self.planned.every_stage()}

    def _trainings(self, *names: str) -> dict[str, Stage]:
        return {f"segment-{name}": self.planned.pipeline.training(name).fit for name in names}

    def path(self, key: str) -> Path:
        """Where a stage is, made or not."""
        with chdir(self.house):
            return self.house / self.places.of(self.stages[key]).folder

    def get(self, key: str) -> Path:
        """Make a stage and what it needs, each once, and return where it is."""
        stage, folder = self.stages[key], self.path(key)
        if not folder.is_dir():
            for needed in stage.inputs():
                self.get(key_of(needed))
            assert self.run(self.words(key)) == 0, key
            with chdir(self.house):
                place = self.places.of(stage)
                assert place.missing(place.part) == []
            (self.house / place.part).rename(folder)
        return folder

    def words(self, key: str) -> list[str]:
        """Return the plan's words for a stage and what makes it small."""
        with chdir(self.house):
            place = self.places.of(self.stages[key])
            words = command_words(place, self.places)
        return words if words[0] == "evaluate" else [*words, *small(self.house, words)]

    def run(self, words: Sequence[str]) -> int:
        """Run a command in process, in the house."""
        with chdir(self.house):
            return main(list(words))

    def another(self, key: str, folder: str, *more: str) -> Path:
        """Make a stage once more, with other words, in a folder of its own."""
        self.get(key)
        assert self.run([*self.words(key), "--trainer.default_root_dir", folder, *more]) == 0
        return self.house / folder


def small(house: Path, words: list[str]) -> list[str]:
    """Return what makes a stage of a plan small enough for a test, for its command line."""
    text = " ".join(words)
    options = {"name": "test_vit", "pretrained": "false", "weights": house / "vit.safetensors", "scale": 2}
    vit = " ".join(f"--V.init_args.{name} {value}" for name, value in options.items())
    if "configs/wsss/clims/clip.yaml" in text:
        overlay, more = {"data": {"init_args": {"workers": 0}}}, ""
    elif "configs/wsss/" in text:
        overlay, more = CAM, ""
    elif "configs/uss/crops" in text:
        overlay = STEGO if words[0] == "fit" else CROPS
        more = vit.replace("V.", "model.init_args.backbone.")
    elif "configs/debias/" in text:
        overlay, stored = DEBIAS, "configs/uss/stored_features" in text
        more = "" if stored else vit.replace("V.", "model.init_args.feature_extractor.init_args.backbone.")
    else:
        overlay, more = SEGMENT, ""
        filled = [
            yaml.safe_load(Path(word).read_text()) for word in words if re.search(r"configs/train/\w+\.yaml$", word)
        ]
        if "configs/train/dhr.yaml" in text:
            more = vit.replace("V.", "model.init_args.feature_extractor.init_args.backbone.")
            more += " --model.init_args.rebalancing.init_args.refine.init_args.workers 0"
        elif words[0] == "fit" and filled[0]["model"]["init_args"]["complement"]:
            more = "--model.init_args.complement.init_args.refine.init_args.workers 0"
    alone = ("uss/neighbours.yaml", "debias/centroids.yaml", "debias/probe.yaml")  # whose writers start no workers
    if words[0] == "predict" and not any(name in text for name in alone):
        more += " --writer.init_args.workers 0"
    path = house / f"tiny_{len(list(house.glob('tiny_*.yaml')))}.yaml"
    path.write_text(yaml.safe_dump(overlay))
    return ["-c", str(path), *more.split(), *QUIET.split()]
