"""Makes stages under one run's choices: adds the data set's YAMLs, the trainer's, the seed, a person's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from datamodules.files.tree import Tree
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.fit_length import MAX_EPOCHS, MAX_STEPS, more_epochs
from mars_pl.pipeline.settings.configs import find_config
from mars_pl.pipeline.settings.yamls import layers
from mars_pl.pipeline.stage import Job, Output, Stage, Value
from mars_pl.training.weight_files import WEIGHTS

VERSIONS: dict[str, int] = {
    "wsss-classifier": 2,  # in mixed precision SEAM's and RS+EPM's seeds are those of float32
    "wsss-scores": 2,  # SEAM's confident labels keep the maps that they are drawn from
    # labels keep the image's centres; an IRN's cell has the label of its middle, an AffinityNet's that of its mean
    "wsss-propagation": 3,
    "wsss-labels": 2,  # IRN sees images padded to its crop and starts from 1; AffinityNet walks by inner pairs alone
    "uss-fit": 2,  # Leopart: heads, queue and teacher as published; STEGO's dropout is drawn a step
    "debias-centroids": 3,  # candidates.parquet; before, and in debias-labels: DINO's positions for whole images
    "debias-labels": 2,
    # labels keep the image's centres; possible classes share a pixel before the refinement; DeepLabv2's pool; HSV
    "segment": 3,
    "segment-masks": 2,  # a class has to exceed its least probability
    "segment-complemented": 2,  # as segment
    "row": 2,  # what is kept, and of companions called an object, is told of the scored classes
}
"""Stage → a number that is raised when a change of code changes its results; 1 where nothing stands here."""

Options = Mapping[str, Value | None]
"""Settings by name; None is not said."""


class Maker:
    """Makes the stages of one run.

    Args:
        choices: of the run.
    """

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    def fit(
        self,
        name: str,
        yamls: Sequence[Path],
        told: Sequence[str],
        options: Options,
        seed: int | None = None,
        *,
        all_cores: bool = False,
        training: str = "",
    ) -> Stage:
        """Make a fit, which leaves weights.

        Args:
            name: and what follows, as for `predict`.
            yamls: likewise.
            told: likewise.
            options: likewise.
            seed: likewise.
            all_cores: hardly anything is left to run beside it.
            training: which of several fits of this name it is.
        """
        own = {"all_cores": all_cores, "training": training}
        stage = self._stage(name, "fit", yamls, told, options, seed, leaves=(WEIGHTS,), **own)
        if self.choices.fewest_steps and not {MAX_EPOCHS, MAX_STEPS} & set(stage.options):
            more = more_epochs(stage, self.choices.fewest_steps)
            stage = replace(stage, options={**more, **stage.options})
        return stage

    def predict(
        self,
        name: str,
        yamls: Sequence[Path],
        told: Sequence[str],
        options: Options,
        seed: int | None = None,
        *,
        leaves: tuple[str, ...],
        each: str = "",
        measured: bool = False,
    ) -> Stage:
        """Make a predict job.

        Args:
            name: of the stage.
            yamls: between the data set's and the trainer's.
            told: choices in its folder's name.
            options: settings and inputs.
            seed: where it is not the run's.
            leaves: what is there when it has ended well.
            each: file of each image.
            measured: its figures hold what the truth says of them.
        """
        truth = (self.choices.place(self.choices.truth),) if measured else ()
        return self._stage(name, "predict", yamls, told, options, seed, leaves=leaves, each=each, measures=truth)

    def row(self, name: str, masks: Value, split: str, told: Sequence[str], **options: Value) -> Stage:
        """Make the stage that scores a folder of masks on a split."""
        c = self.choices
        words: dict[str, Value] = {"predictions": masks, "truth": c.place(c.truth)}
        words |= {"list": Tree(c.root).list_file(split), "data": find_config(f"data/{c.data}")}
        words |= {"root": c.data_root, "row": name, "split": split} | options
        if c.where_truth:
            words["where-truth"] = True
        if c.place(c.companion).is_dir():
            words["companion"] = c.place(c.companion)
        about = (c.data, *told, name)
        return Stage("row", "evaluate", about, c.root, (), words, ("row.json",), version=VERSIONS.get("row", 1))

    def layers(self, *names: str) -> tuple[Path, ...]:
        """Return bases, each with the overlays of size and data set."""
        return layers(self.choices.overlays, *names)

    def _stage(
        self,
        name: str,
        job: Job,
        yamls: Sequence[Path],
        told: Sequence[str],
        options: Options,
        seed: int | None,
        **more: Any,
    ) -> Stage:
        c = self.choices
        every = (*self.layers(f"data/{c.data}"), *yamls, find_config(f"trainer/{c.trainer}"))
        said: dict[str, Value] = {key: value for key, value in options.items() if value is not None}
        seeds = [f"seed{c.seed}"] * (c.seed != 0) + [f"segmenter{seed}"] * (seed not in (None, c.seed))
        stage = Stage(
            name,
            job,
            (c.data, *told, c.trainer, *seeds),
            c.root,
            every,
            {"data.root": c.data_root} | said,
            seed=c.seed if seed is None else seed,
            version=VERSIONS.get(name, 1),
            **more,
        )
        words = [(*key.partition(".")[::2], text) for key, text in c.options.items()]
        own = {key: text for address in stage.addresses for named, key, text in words if named == address}
        return replace(stage, options={**stage.options, **own})


def given(name: str, value: float | None) -> tuple[str, ...]:
    """Return a number for a folder's name, where a person gave one."""
    return () if value is None else (f"{name}{value:g}",)


def weights_of(stage: Stage) -> Output:
    """Return the weights that a fit leaves."""
    return stage / WEIGHTS
