"""The command of a stage, word by word, as a person could type it."""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import which

from mars_pl.pipeline.execution.places import Place, Places
from mars_pl.pipeline.stage import Output, Value, setting

CHECKPOINT = "checkpoints/last.ckpt"
"""Of a fit, within its folder: from here it goes on."""

WARNED = "hpc_ckpt_*.ckpt"
"""The same, of a fit that SLURM warned in the midst of an epoch."""


def mars_command() -> list[str]:
    """Return how ``mars`` is started: the console script of this Python, which `torchrun` and DDP can start too."""
    script = Path(sys.executable).with_name("mars")
    found = str(script) if script.is_file() else which("mars")
    return [found] if found else [sys.executable, "-P", "-m", "mars_pl.cli.main"]  # -P: no folder here hides ours


def command_words(place: Place, places: Places) -> list[str]:
    """Return the words after ``mars`` that make a stage in its ``.part`` folder."""
    stage = place.stage
    options = {name: text_of(value, places) for name, value in stage.options.items()}
    if stage.job == "evaluate":
        words = ["evaluate", options.pop("predictions"), options.pop("truth")]
        words += [
            word
            for name, text in options.items()
            for word in ([f"--{name}"] if text == "true" else [f"--{name}", text])
        ]
        return [*words, "--json", str(place.part / "row.json")]
    words = [stage.job]
    for path in stage.yamls:
        words += ["-c", str(path)]
    words += ["--seed_everything", str(stage.seed)]
    for name, text in options.items():
        words += [f"--{setting(name)}", text]
    words += ["--trainer.default_root_dir", str(place.part)]
    if stage.job == "predict":
        return [*words, "--writer.init_args.resume", "true"]
    kept = [*place.part.glob(CHECKPOINT), *place.part.glob(WARNED)]
    newest = max(kept, key=lambda path: path.stat().st_mtime_ns, default=None)
    return words if newest is None else [*words, "--ckpt_path", str(newest)]


def text_of(value: Value, places: Places) -> str:
    """Return the value of an option as a command has it."""
    if isinstance(value, Output):
        folder = places.of(value.stage).folder
        return str(folder / value.path) if value.path else str(folder)
    if isinstance(value, Path):  # whole, since a folder's bare name would be looked for in the data set first
        return str(value.absolute())
    return str(value).lower() if isinstance(value, bool) else str(value)
