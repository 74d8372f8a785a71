"""Numbers that are none, and words that do not fit: the command ends in one line, with culprit and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import torch
from safetensors.torch import load_file, save_file

from tests.faults.house import House
from tests.faults.jobs import jobs
from tests.faults.outcome import Outcome, last_line
from tests.pipeline.tiny_run import REPOSITORY

SEGMENTER = ("segment/segment", "segment/deeplabv3plus", "segment/deeplabv3plus_scenes", "train/baseline")
LABELS = ("--data.init_args.label_folder", "SegmentationClass")


def values(house: House) -> Iterator[Outcome]:
    """Yield an outcome a fault."""
    fit, _, predict, _ = jobs(house)
    diverging = r"the loss is (nan|inf) at optimiser step \d+ \(images .*\); "
    segment = house.job("fit", *SEGMENTER, out="values/segment", more=LABELS)
    cases = (
        ("a rate of 1e9", [*fit.words(house, "values/a"), "--model.init_args.lr", "1e9"], diverging),
        ("a rate of 1e9, segmenter", [*segment, "--model.init_args.lr", "1e9"], diverging),
        ("no GPU", [*fit.words(house, "values/b"), "--trainer.accelerator", "gpu"], "no GPU is seen here; take "),
        ("no checkpoint", [*fit.words(house, "values/c"), "--ckpt_path", "none.ckpt"], "none.ckpt: no such checkpoint"),
        ("a checkpoint of another network", [*segment, "--ckpt_path", "whole/fit/checkpoints/last.ckpt"], "ckpt_path"),
        ("no labels", house.job("fit", *SEGMENTER, out="values/d"), "set data.label_folder to a folder of labels"),
        ("a batch of one", [*segment, "--data.init_args.batch_size", "1"], "set data.batch_size to 2 or more"),
        ("a list that is not there", [*segment, "--data.init_args.fit_split", "nowhere"], "nowhere"),
        ("a setting that is misspelt", [*segment, "--model.init_args.lrr", "1"], "lrr"),
        ("a choice that is misspelt", ["run", "mars", "data=tiny", "wsss=irm"], "did you mean irn?"),
        ("more processes than images", [*predict.words(house, "values/e"), "--data.init_args.limit", "1",
         "--trainer.strategy", "ddp", "--trainer.devices", "2"], "1 images for 2 processes"),
    )  # fmt: skip
    for fault, words, wanted in cases:
        yield one_line(house, fault, words, wanted)
    state = load_file(house.folder / "whole/fit/weights.safetensors")
    name = next(name for name, tensor in state.items() if tensor.is_floating_point())
    save_file(state | {name: torch.full_like(state[name], torch.nan)}, house.folder / "nan.safetensors")
    words = predict.words(house, "values/nan")
    words[words.index("whole/fit/weights.safetensors")] = "nan.safetensors"
    yield one_line(house, "weights that are not finite", words, "nan.safetensors: .*not finite")
    debias = ("debias/labels", "uss/features_backbone")
    save_file({"centroids": torch.full((8, 64), torch.nan)}, house.folder / "nan-centroids.safetensors")
    more = (
        "--model.init_args.feature_extractor.init_args.backbone",
        str(REPOSITORY / "configs/backbone/vit_scenes.yaml"),
    )
    more += ("--model.init_args.centroids", "nan-centroids.safetensors", *LABELS)
    words = house.job("predict", *debias, out="values/centroids", more=more)
    yield one_line(house, "centroids that are not finite", words, "nan-centroids.safetensors: .*not finite")


def one_line(house: House, fault: str, words: Sequence[str], wanted: str) -> Outcome:
    """Run a command that is to end in a single line.

    Args:
        house: to run it in.
        fault: for people.
        words: of the command.
        wanted: pattern that the line holds.
    """
    code, said = house.run(*words)
    lines = [line for line in said.splitlines() if line.startswith("mars: error: ")]
    right = code in (1, 2) and len(lines) == 1 and bool(re.search(wanted, lines[0])) and "Traceback" not in said
    came = f"exit code {code}; {(lines or [last_line(said)])[-1].removeprefix('mars: error: ')}"
    return Outcome(fault, came[:150], right, said)
