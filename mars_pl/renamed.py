"""Paths of modules and classes that have moved: they work for one release more, and say once which path to write.

YAMLs and imports go the same way: a finder at the end of Python's list answers for modules that are no longer there.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MODULES = {
    "callbacks.seed_epoch": "callbacks.seed_steps",
    "datamodules.class_names": "datamodules.files.class_names",
    "datamodules.dataset": "datamodules.datasets.dataset",
    "datamodules.five_crops": "datamodules.datasets.five_crops",
    "datamodules.hsv_jitter": "datamodules.datasets.hsv_jitter",
    "datamodules.image_labels": "datamodules.files.image_labels.sources",
    "datamodules.image_list": "datamodules.files.image_list",
    "datamodules.labels": "datamodules.files.labels",
    "datamodules.multi_crops": "datamodules.datasets.multi_crops",
    "datamodules.photographs": "datamodules.datasets.image_files",
    "datamodules.samplers": "datamodules.datasets.samplers",
    "datamodules.scenes_generator": "datamodules.synthetic.generator",
    "datamodules.scores": "datamodules.files.scores",
    "datamodules.split_reader": "datamodules.datasets.split_reader",
    "datamodules.transforms": "datamodules.datasets.transforms",
    "datamodules.tree": "datamodules.files.tree",
    "mars_pl.lightning_cli": "mars_pl.cli.lightning_cli",
    "mars_pl.moving_average": "mars_pl.training.moving_average",
    "mars_pl.networks.taps": "mars_pl.networks.intermediate_features",
    "mars_pl.normalise": "mars_pl.networks.normalise",
    "mars_pl.optimisation": "mars_pl.training.optimisation",
    "mars_pl.uss.correspondence": "mars_pl.uss.stego.correspondence",
    "mars_pl.uss.neighbours": "mars_pl.uss.stego.neighbours",
    "mars_pl.uss.stego_head": "mars_pl.uss.stego.head",
    "mars_pl.uss.stego_loss": "mars_pl.uss.stego.loss",
    "mars_pl.uss.stego_module": "mars_pl.uss.stego.stego_module",
    "mars_pl.uss.token_module": "mars_pl.uss.stego.token_module",
    "mars_pl.weights": "mars_pl.training.weights",
    "mars_pl.wsss.affinity_loss": "mars_pl.wsss.propagation.affinity_loss",
    "mars_pl.wsss.affinity_module": "mars_pl.wsss.psa.affinity_module",
    "mars_pl.wsss.affinity_net": "mars_pl.wsss.psa.affinity_net",
    "mars_pl.wsss.classification_module": "mars_pl.wsss.cam.classification_module",
    "mars_pl.wsss.classifier": "mars_pl.wsss.cam.classifier",
    "mars_pl.wsss.random_walk": "mars_pl.wsss.propagation.random_walk",
    "mars_pl.wsss.seam.sure_labels": "mars_pl.wsss.seam.confident_labels",
    "mars_pl.wsss.sure_label": "mars_pl.wsss.propagation.confident_label",
}
"""Old module to new one, whose names are the same but for those below."""

NAMES = {
    "callbacks.seed_epoch.SeedEpoch": "callbacks.seed_steps.SeedSteps",
    "datamodules.photographs.Photographs": "datamodules.datasets.image_files.ImageFiles",
    "datamodules.photographs.find_photographs": "datamodules.datasets.image_files.find_images",
    "datamodules.tree.read_photograph": "datamodules.files.tree.read_image",
    "mars_pl.moving_average.move_teacher": "mars_pl.training.moving_average.ema_update",
    "mars_pl.networks.taps.TapBackbone": "mars_pl.networks.intermediate_features.IntermediateFeatureBackbone",
    "mars_pl.networks.taps.TimmTaps": "mars_pl.networks.intermediate_features.TimmIntermediateFeatures",
    "mars_pl.uss.neighbours.nearest": "mars_pl.uss.stego.neighbours.nearest_neighbours",
    "mars_pl.uss.stego_loss.strangers": "mars_pl.uss.stego.loss.draw_random_negatives",
    "mars_pl.wsss.sure_label.SureLabels": "mars_pl.wsss.propagation.confident_label.ConfidentLabels",
    "mars_pl.wsss.sure_label.ThresholdSureLabels": "mars_pl.wsss.propagation.confident_label.ThresholdConfidentLabels",
}
"""Old path to new one, of what has another name or did not move with the rest of its module."""

RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")
"""The environment's words for a process's place among those of one job."""


class RenamedModules(MetaPathFinder, Loader):
    """Finds the modules of ``MODULES`` under their old paths."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for an old module; None for any other, which then fails as it always did."""
        return ModuleSpec(fullname, self) if fullname in MODULES else None

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module empty: what is asked of it is looked up where it is now."""
        module.__dict__["__getattr__"] = partial(_moved, module.__name__, set())


def _moved(module: str, told: set[str], name: str) -> Any:
    """Return what ``module.name`` is now, and say its path the first time."""
    if name.startswith("__"):  # the import system's own questions
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    path = NAMES.get(f"{module}.{name}", f"{MODULES[module]}.{name}")
    place, _, now = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(place), now)
    except AttributeError:
        raise AttributeError(f"module {module!r}, now {place!r}, has no attribute {name!r}") from None
    if name not in told and all(os.environ.get(rank, "0") == "0" for rank in RANKS):
        told.add(name)
        logging.getLogger(__name__).warning("%s.%s has moved: write %s before the next release", module, name, path)
    return found


def install() -> None:
    """Let Python's imports ask for old paths last, after everything that is really there."""
    if not any(isinstance(finder, RenamedModules) for finder in sys.meta_path):
        sys.meta_path.append(RenamedModules())
