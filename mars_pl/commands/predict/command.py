"""`mars predict IMAGES --fit FIT`: masks of any images by a finished fit, and the same laid over them with names."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Sequence
from pathlib import Path

from datamodules.errors import DataError
from mars_pl.commands.data_choice import data_choice
from mars_pl.pipeline.execution.words import mars_command
from mars_pl.pipeline.machine import best_trainer
from mars_pl.pipeline.settings.configs import find_config
from mars_pl.pipeline.settings.yamls import masks as mask_yamls
from mars_pl.training.weight_files import SETTINGS, WEIGHTS


def main(argv: Sequence[str]) -> int:
    """Predict, then draw the overlays; returns the exit code of the job.

    Args:
        argv: the words after ``mars predict``; what this command does not know goes to the job as it is.

    Raises:
        DataError: where there is no such fit or image.
    """
    options, more = parser().parse_known_args(argv)
    for name in (SETTINGS, WEIGHTS):
        if not (options.fit / name).is_file():
            raise DataError(f"{options.fit}/{name}: no such file; --fit names the folder of a finished segment fit")
    if not options.images.exists():
        raise DataError(f"{options.images}: no such image or folder")
    class_names, _ = data_choice(str(options.fit / SETTINGS))
    code = subprocess.run([*mars_command(), "predict", *_words(options), *more], check=False).returncode
    if code == 0 and options.overlay:
        from mars_pl.commands.predict.overlays import write_overlays  # reads images by torch

        count = write_overlays(options.images, options.out, options.out / "overlays", class_names)
        print(f"{options.out / 'overlays'}: {count:,} overlays")
    return code


def _words(options: argparse.Namespace) -> list[str]:
    """The job's words: the fit's settings, a prediction's, this machine's trainer in place of the fit's."""
    trainer = options.trainer or best_trainer()
    words = ["-c", str(options.fit / SETTINGS)]
    for path in (*mask_yamls([], options.segmenter), find_config(f"trainer/{trainer}")):
        words += ["-c", str(path)]
    words += ["--model.init_args.weights", str(options.fit / WEIGHTS), "--data.init_args.images", str(options.images)]
    words += ["--trainer.default_root_dir", str(options.out), "--writer.init_args.resume", "true"]
    words += ["--trainer.logger", "null", "--trainer.callbacks", "null"]  # a fit's own
    if trainer != "ddp":
        words += ["--trainer.plugins", "null"]
    if trainer == "cpu":
        words += ["--trainer.precision", "32-true"]  # a fit on a GPU says half
    return [*words, "--writer.init_args.refine", "null"] if options.no_crf else words


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    about = "Masks of any images by a finished fit. Further words go to the job: --model.init_args.scales '[1.0]'."
    reader = argparse.ArgumentParser(prog="mars predict", description=about)
    reader.add_argument("images", type=Path, metavar="IMAGES", help="an image, or a folder with its sub-folders")
    words = "folder of a segment fit: fit.yaml and weights.safetensors"
    reader.add_argument("--fit", type=Path, required=True, metavar="FIT", help=words)
    words = "folder of the masks (default: predictions)"
    reader.add_argument("--out", type=Path, default=Path("predictions"), metavar="DIR", help=words)
    words = "images with the classes in colour and by name too, to DIR/overlays"
    reader.add_argument("--overlay", action="store_true", help=words)
    reader.add_argument("--no-crf", action="store_true", help="leave the dense CRF out")
    words = "whose own refinement is taken, such as deeplabv1_wideresnet38 (default: DeepLab's)"
    reader.add_argument("--segmenter", default="", metavar="NAME", help=words)
    words = "cpu, cpu_bf16, gpu or ddp (default: what the machine has)"
    reader.add_argument("--trainer", default="", metavar="NAME", help=words)
    return reader
