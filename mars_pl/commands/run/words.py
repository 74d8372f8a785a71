"""The words after `mars run TARGET`: choices, settings of single stages, and what concerns the run as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from datamodules.errors import DataError
from mars_pl.pipeline.choice_files import files_of, near_miss
from mars_pl.pipeline.choices import NAMES, Choices, unknown
from mars_pl.pipeline.execution.places import STAGES as FOLDER

TARGETS = {
    "demo": "MARS from scratch on generated scenes, with its report",
    "mars": "all stages of the paper, and the report",
    "best": "as mars, with what did better than the paper on Scenes or on photographs; docs/choices.md",
    "gap": "baseline, MARS and full supervision on the same data, for seeds= and segment_seeds=",
    "methods": "MARS under each of each_wsss= and each_uss=, as one table",
    "server": "the archive for VOC's evaluation server, looked over",
    "overlays": "images, labels and predictions in Weights & Biases (offline without login)",
}
STAGES = (
    "wsss-classifier",
    "wsss-clip",
    "wsss-scores",
    "wsss-propagation",
    "wsss-labels",
    "uss-neighbours",
    "uss-fit",
    "debias-centroids",
    "debias-labels",
    "debias-probe",
    "debias-probed",
    "segment",
    "segment-masks",
    "segment-complemented",
    "segment-labels",
)
RUN_WORDS = {
    "run": ("", "name of the run folder (default: from the choices)"),
    "seeds": ("", "of gap: seeds of all stages, such as 0,1,2 (default: seed)"),
    "segment_seeds": ("", "of gap: seeds of the segmenter alone"),
    "each_wsss": ("irn,seam,advcam,rsepm", "of methods (default: irn,seam,advcam,rsepm)"),
    "each_uss": ("stego,leopart", "of methods (default: stego,leopart)"),
    "server_split": ("test", "of server: test or val (default: test)"),
    "launch": ("", "words before each fit and predict, such as `torchrun --no-python --nproc_per_node 2`"),
    "wandb": ("off", "offline or online: every stage's figures in Weights & Biases; docs/wandb.md (default: off)"),
    "wandb_artifacts": ("false", "true: labels and weights go there too (default: false)"),
    "weights": ("", "folder of weights files (default: weights/, or where MARS_WEIGHTS says)"),
}
"""Words that are no choice of a stage: default and meaning."""

SCENES = Choices.data

EVERYWHERE = {"train": "mars_background", "mixing": "true"}
"""What `best` chooses for all data: what held on folds of `train` of Scenes and of photographs."""

ON_SCENES = {"debias": "labels_lifted", **EVERYWHERE, "rounds": "2"}
"""What it chooses for generated scenes: what held on a fold of their `train`."""

ON_PHOTOGRAPHS = {"debias": "labels_probed", **EVERYWHERE}
"""What it chooses for all other data: what held on `train` of photographs. The backbone of Scenes feeds no probe."""

SOLE = {
    "seeds": "gap",
    "segment_seeds": "gap",
    "each_wsss": "methods",
    "each_uss": "methods",
    "server_split": "server",
}
"""Words that one target alone reads."""

INSTEAD = {
    "gap": {"segment_seed": "segment_seeds"},
    "methods": {"wsss": "each_wsss", "uss": "each_uss", "labels": "each_wsss", "run": "each_wsss"},
}
"""Words that a target does not read, since it goes over several of that kind, and the word that says which."""

OPTION = re.compile(r"[a-z]+(-[a-z_]+)*\.[\w.]+")


def chosen_by(target: str, data: str) -> dict[str, str]:
    """Return what a target chooses for a data set where a person says nothing."""
    if target == "best":
        return ON_SCENES if data == SCENES else ON_PHOTOGRAPHS
    return {"data": SCENES} if target == "demo" else {}


@dataclass(frozen=True)
class Words:
    """A person's words, sorted by whom they concern."""

    choices: dict[str, str]
    options: dict[str, str]
    run: dict[str, str]

    def of_run(self, name: str) -> str:
        """Return a word that concerns the run, or its default."""
        return self.run.get(name, RUN_WORDS[name][0])

    def listed(self, name: str) -> list[str]:
        """Return such a word as a list."""
        return self.of_run(name).replace(",", " ").split()

    def seeds(self, name: str) -> list[int]:
        """Return such a word as whole numbers; raises DataError where they are none."""
        try:
            return [int(word) for word in self.listed(name)]
        except ValueError:
            raise DataError(f"{name}={self.of_run(name)}: whole numbers, separated by commas") from None


def sort_words(given: Sequence[str]) -> Words:
    """Sort ``name=value`` words; names in capitals are make's.

    Raises:
        DataError: where a word has no ``=``, or its name is known to nobody.
    """
    words = Words({}, {}, {})
    for word in given:
        name, equals, value = word.partition("=")
        if not equals:
            raise DataError(f"{word}: a choice is written name=value; `mars run --help` lists them")
        small, stage = name.lower(), name.split(".")[0]
        if OPTION.fullmatch(name):
            _refuse_no_stage(name, stage)
            words.options[name] = value
        elif small in RUN_WORDS:
            words.run[small] = value
        elif small in NAMES:
            words.choices[small] = value
        else:
            raise unknown(name, (*NAMES, *RUN_WORDS))
    return words


def _refuse_no_stage(word: str, stage: str) -> None:
    known = STAGES if stage in STAGES else (*STAGES, *(f"segment-{training}" for training in files_of("train")))
    if stage not in known:
        remedy = near_miss(stage, known) or f"there are {', '.join(STAGES)}"
        raise DataError(f"{word}: no stage {stage}; {remedy}")


def refuse_unread(target: str, words: Words) -> None:
    """Refuse words that a target would not read.

    Raises:
        DataError: on the first of them.
    """
    for name in words.run:
        if SOLE.get(name, target) != target:
            raise DataError(f"{name}=: is for `mars run {SOLE[name]}`; {target} does not read it")
    for name in (*words.choices, *words.run):
        if instead := INSTEAD.get(target, {}).get(name):
            raise DataError(f"{name}=: {target} goes over several; {instead}= says which")
    run = words.of_run("run")
    if run and (Path(run).name != run or run.startswith(".") or run == FOLDER.name):
        raise DataError(f"run={run}: cannot be a run's name; choose a folder's name other than {FOLDER.name}")
    if "seed" in words.choices and "seeds" in words.run:
        raise DataError("seed=: seeds= says which; leave one of them out")


def help_text() -> str:
    """Return what `mars run --help` says of targets, stages and words."""
    groups = {
        "targets": TARGETS,
        "choices, name=value": {entry.name: entry.metadata["help"] for entry in fields(Choices) if entry.metadata},
        "of the run": {name: about for name, (_, about) in RUN_WORDS.items()},
    }
    lines = [f"or one stage as target: {', '.join(STAGES[:6])},", f"  {', '.join(STAGES[6:])}", ""]
    for heading, entries in groups.items():
        lines += [f"{heading}:", *(f"  {name:20} {about}" for name, about in entries.items()), ""]
    lines += [
        "A setting of one stage is written <stage>.<setting>=<value>, named as in its YAML with init_args left out:",
        "segment.trainer.max_epochs=3, segment.model.lr=0.01, debias-labels.writer.exponent=3",
    ]
    return "\n".join(lines)
