"""What a person can ask `mars run` for, and the stages that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from datamodules.errors import DataError
from mars_pl.commands.row_names import FINAL, RowName, row_name, training_row
from mars_pl.pipeline.choices import Choices, read_choices
from mars_pl.pipeline.run_folder import Run, run_name
from mars_pl.pipeline.stage import Stage, Value
from mars_pl.pipeline.stages.pipeline import Pipeline


def row_of(training: str, chosen: str, segment_seed: int | None = None, number: int = 1) -> str:
    """Return the row of a training's network; a later round and another seed of the segmenter say which.

    Args:
        training: whose network it is.
        chosen: the run's, `train=`.
        segment_seed: of the segmenter, where it is not the run's own.
        number: of the round.
    """
    return str(RowName(training_row(training, chosen), number, segment_seed))


def mars(choices: Choices, name: str = "") -> Run:
    """All stages of one choice: labels, networks, and where there is truth their figures."""
    run = Run(name or run_name(choices), Pipeline(choices))
    pipeline, final = run.pipeline, run.pipeline.training(choices.train)
    complemented = pipeline.complemented(final)
    run.stages |= {
        "debias-centroids": pipeline.centroids,
        pipeline.debiased.name: pipeline.debiased,
        "segment": final.fit,
        "segment-masks": final.masks,
        "segment-complemented": complemented,
    }
    for number in range(2, choices.rounds + 1):
        later = pipeline.training(choices.train, number)
        run.stages |= {f"segment-round{number}": later.fit, f"segment-masks-round{number}": later.masks}
    if not choices.place(choices.truth).is_dir():
        return run
    masks = {"pseudo": pipeline.pseudo, "debiased": pipeline.debiased / "", "complemented": complemented / ""}
    if not choices.labels:
        masks["pseudo-baseline"] = pipeline.pseudo_baseline
    for row, folder in masks.items():
        run.rows[row] = label_row(pipeline, row, folder)
    for training in dict.fromkeys(["baseline", choices.train, *choices.also]):
        _measure(run, training, pipeline)
    _measure_rounds(run, pipeline)
    return run


def gap(choices: Choices, seeds: Sequence[int], segment_seeds: Sequence[int], name: str = "") -> list[Run]:
    """A run a seed: baseline, MARS and full supervision on the same data, for each seed of the segmenter."""
    if name and len(seeds) > 1:
        raise DataError(
            f"run={name} names one run and seeds= several, of which each would replace the one before; leave run= out"
        )
    runs = []
    for seed in seeds:
        run = mars(choices.seeded(seed), name)
        if not run.rows:
            raise DataError(
                f"{choices.place(choices.truth)}: no true masks to measure a gap with; truth= says where they lie"
            )
        for segment_seed in dict.fromkeys([seed, *segment_seeds]):  # the run's own networks are there anyway
            pipeline = run.pipeline if segment_seed == seed else Pipeline(choices.seeded(seed, segment_seed))
            for training in dict.fromkeys(["baseline", choices.train, *choices.also, "supervised"]):
                _measure(run, training, pipeline)
            _measure_rounds(run, pipeline)
        runs.append(run)
    return runs


def methods(choices: Choices, each_wsss: Sequence[str], each_uss: Sequence[str], words: dict[str, str]) -> list[Run]:
    """A run a pair of WSSS and USS method; runs share what they can."""
    pairs = [(wsss, uss) for wsss in each_wsss for uss in each_uss]
    return [mars(read_choices(words | {"wsss": wsss, "uss": uss}, choices.options)) for wsss, uss in pairs]


def server(choices: Choices, split: str, name: str = "") -> Run:
    """The final network's masks of a split that need not have truth, for VOC's evaluation server."""
    run = Run(mars(choices, name).name, Pipeline(replace(choices, network_split=split)))
    run.stages["server-masks"] = run.pipeline.final.masks
    return run


def _measure_rounds(run: Run, pipeline: Pipeline) -> None:
    """Measure labels and networks of all later rounds, and of the same rounds from the baseline.

    Those are the control: what repetition does without MARS.
    """
    c = pipeline.choices
    seed = None if pipeline is run.pipeline else c.segment_seed
    for training in dict.fromkeys([c.train, "baseline"]):
        for number in range(2, c.rounds + 1):
            row = f"labels-{row_of(training, c.train, seed, number)}"
            run.rows[row] = label_row(pipeline, row, pipeline.training(training, number).labels)
            _measure(run, training, pipeline, number)


def _measure(run: Run, training: str, pipeline: Pipeline, number: int = 1) -> None:
    c = pipeline.choices
    row = row_of(training, c.train, None if pipeline is run.pipeline else c.segment_seed, number)
    stages = pipeline.training(training, number)
    if stages.fit not in run.stages.values():  # the final one's stages have names already
        run.stages |= {f"segment-{row}": stages.fit, f"segment-masks-{row}": stages.masks}
    run.rows[row] = network_row(pipeline, training, row, number)


def label_row(pipeline: Pipeline, row: str, masks: Value) -> Stage:
    """The stage that scores a folder of labels where labels are scored, held against Yᵇ."""
    c = pipeline.choices
    return pipeline.make.row(row, masks, c.train_split, (c.label_name,), reference=pipeline.pseudo)


def network_row(pipeline: Pipeline, training: str, row: str, number: int = 1) -> Stage:
    """The stage that scores the masks of a training's network, of a round, where networks are scored."""
    c = pipeline.choices
    told = (training, c.segmenter, *(() if training == "supervised" else (c.label_name,)))
    masks = pipeline.training(training, number).masks / ""
    another = row_name(row).plain == FINAL and training != "mars"
    note: dict[str, Value] = {"note": f"train={training}"} if another else {}
    return pipeline.make.row(row, masks, c.network_split, told, network="teacher", **note)
