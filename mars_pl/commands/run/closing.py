"""What follows the stages of a target: the report, and the table, archive or dashboard that was asked for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

from datamodules.errors import DataError
from mars_pl.commands.check.command import main as check
from mars_pl.commands.gap.command import main as gap
from mars_pl.commands.labels.command import main as convert
from mars_pl.commands.methods.command import main as methods
from mars_pl.commands.report.command import main as write_report
from mars_pl.commands.report.run import open_run
from mars_pl.commands.run.targets import row_of
from mars_pl.commands.run.words import Words
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.execution.words import mars_command
from mars_pl.pipeline.run_folder import Run
from mars_pl.pipeline.settings.yamls import layers
from mars_pl.pipeline.stage import setting
from mars_pl.training.weight_files import WEIGHTS

OVERLAID = 24
"""Images that the target `overlays` logs."""


def report(run: Run, changed: bool) -> None:
    """Make a run's report where its choices or a stage changed; else say where it stands."""
    if changed:
        print()
        write_report([str(run.folder)])
    else:
        print(f"{run.folder / 'report.html'}: nothing has changed")


def close(target: str, runs: Sequence[Run], choices: Choices, words: Words, places: Places) -> None:
    """Do what is particular to a target."""
    folders = [str(run.folder) for run in runs]
    if target == "gap":
        rows = [row_of(training, choices.train) for training in dict.fromkeys([choices.train, *choices.also])]
        later = range(2, choices.rounds + 1)
        for row in (*rows, *(row_of(choices.train, choices.train, number=number) for number in later)):
            print()
            gap([*folders, "--row", row])
    elif target == "methods":
        print()
        methods(folders)
    elif target == "server":
        _server(runs[0], choices, words.of_run("server_split"), places)
    elif target == "overlays":
        _overlays(runs[0], choices, places)


def _server(run: Run, choices: Choices, split: str, places: Places) -> None:
    masks = places.of(run.stages["server-masks"]).folder
    archive = str(run.folder / f"results-{split}.tar.gz")
    files = [
        "--list",
        str(choices.root / f"ImageSets/Segmentation/{split}.txt"),
        "--images",
        str(choices.root / "JPEGImages"),
    ]
    convert(["export", "voc-server", str(masks), archive, "--split", split, *files])
    check(["archive", archive, *files])


def _overlays(run: Run, choices: Choices, places: Places) -> None:
    """Validate the final network on the images that labels are scored on, every label folder laid over them."""
    final = run.pipeline.final
    read = open_run(str(run.folder))
    shown = {"Yᵇ": "pseudo", "Yᵈᵇ": "debiased", "Yᶜᵒ": "complemented"}
    folders = {name: str(read.labels(entry)) for name, entry in shown.items()}
    options = {
        "data.root": choices.data_root,
        "data.validate_split": choices.train_split,
        "model.weights": str(places.of(final.fit).folder / WEIGHTS),
        "trainer.limit_val_batches": str(OVERLAID),
        "trainer.callbacks.init_args.count": str(OVERLAID),
        "trainer.callbacks.init_args.folders": json.dumps(folders, ensure_ascii=False),
        "trainer.default_root_dir": str(run.folder / "overlays"),
    }
    if choices.encoder:
        options["model.network.encoder"] = choices.encoder
    words = [*mars_command(), "validate"]
    for path in (*final.masks.yamls, *layers(choices.overlays, "trainer/wandb")):
        words += ["-c", str(path)] if "predictions" not in path.name else []
    for name, text in options.items():
        words += [f"--{setting(name)}", text]
    code = subprocess.run(words, check=False).returncode
    if code:
        raise DataError(f"overlays: the validation ended with exit code {code}; what it said stands above")
