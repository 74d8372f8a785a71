"""The command ``mars``: fit, validate, test and predict by Lightning; the light commands without it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import sys
from argparse import ArgumentError
from collections.abc import Sequence
from pathlib import Path

import mars_pl
from datamodules.errors import DataError
from mars_pl.cli.error_line import say_error
from mars_pl.cli.faults import known_fault
from mars_pl.cli.interruption import Interruption
from mars_pl.cli.parser_faults import first_fault

FITTED = "mars_pl.commands.predict.command"
"""The module of `mars predict IMAGES --fit FIT`, where `mars predict -c …` is Lightning's."""

LIGHT_COMMANDS = {
    "evaluate": "mars_pl.commands.evaluate.command",
    "report": "mars_pl.commands.report.command",
    "compare": "mars_pl.commands.compare.command",
    "gap": "mars_pl.commands.gap.command",
    "methods": "mars_pl.commands.methods.command",
    "weights": "mars_pl.commands.weights.command",
    "labels": "mars_pl.commands.labels.command",
    "export": "mars_pl.commands.export.command",
    "data": "mars_pl.commands.data.command",
    "check": "mars_pl.commands.check.command",
    "run": "mars_pl.commands.run.command",
    "sweep": "mars_pl.commands.sweep.command",
    "figures": "mars_pl.commands.figures.command",
    "recipe": "mars_pl.commands.recipe.command",
    "doctor": "mars_pl.commands.doctor.command",
    "completion": "mars_pl.commands.completion.command",
}
"""Commands whose modules import neither Lightning nor timm; `weights` and `export` load torch once they have work."""

LIGHTNING_COMMANDS = ("fit", "validate", "test", "predict")

THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "20000"}
"""How OpenMP's threads wait, unless the environment says it: GNU's for some ten microseconds, others not at all.

Spinning for milliseconds starves the CRF workers beside them (a prediction on two cores took four times as long); going
to sleep at once makes a training step on idle cores half as long again.
"""

USAGE = """usage: mars COMMAND …

  run TARGET [data=… …]          the stages of the paper in their order, each made once: mars run demo
  sweep RUN alpha=.2,.4 …        settings of the debiasing gone over, all that comes before shared
  recipe [data=… …]              what each fit of a run would do, beside what is published
  fit, validate, test, predict   one stage by hand: mars fit -c data/voc -c wsss/cam; YAMLs of one's own by their path
  predict IMAGES --fit FIT       masks of any images by a finished fit; --overlay draws them over the images
  evaluate PREDICTIONS TRUTH     mIoU, FP and FN of a folder of masks
  report RUN                     one page with the numbers and the pictures of a run
  compare RUN RUN …              rows, classes and images of runs side by side
  figures RUN                    the paper's figures and tables from a run, as PNG and SVG
  gap RUN [RUN …]                how much of the gap to full supervision closes
  methods RUN                    before and after MARS under each WSSS and USS method
  weights import KIND SOURCE TARGET   published weights of STEGO, Leopart, IRNet or Wide ResNet-38
  weights fetch [data=… …]       the weights that a run starts from, to where offline runs look
  labels import|export KIND …    labels of other projects, in and out
  export FIT|candidates RUN …    a fit's network as ONNX, checked against onnxruntime; a run's candidates as CSV
  check data|labels|archive …    all that is wrong with a data set, a label folder or a server's archive
  doctor                         what this machine has and lacks: packages, GPUs, memory, weights, disk
  data SET ROOT                  downloads VOC, prepares COCO or a folder of one's own
  completion SHELL               what makes bash, zsh or fish complete these words

Every command answers to --help, and mars to --version. MARS_TRACEBACK=1 shows where an error came from."""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command; errors that a user can mend end in one line and exit code 1, or 2 where the words are wrong.

    Args:
        args: the words after ``mars``; default is the command line. Callable in process from tests.
    """
    words, parent = list(sys.argv[1:] if args is None else args), os.getppid()
    if not words or words[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if words else 2
    if words[0] == "--version":
        print(f"mars-pl {mars_pl.__version__}")
        return 0
    try:
        _refuse_shadowed_packages()
        return _run(words)
    except ArgumentError as error:
        if os.environ.get("MARS_TRACEBACK"):
            raise
        say_error(f"{first_fault(str(error))}; `mars {words[0]} --help` lists the options", parent)
        return 2
    except Exception as error:
        line = None if os.environ.get("MARS_TRACEBACK") else known_fault(error)
        if line is None:
            raise
        say_error(line, parent)
        return 1
    except KeyboardInterrupt:
        print("mars: ended by SIGINT before it was done", file=sys.stderr)
        return 128 + signal.SIGINT


def _run(words: Sequence[str]) -> int:
    """Run a command; a signal that ended it, wherever it came, is the exit code."""
    with Interruption() as interruption:
        try:
            module = FITTED if words[0] == "predict" and _names_fit(words) else LIGHT_COMMANDS.get(words[0])
            if module is not None:
                return int(importlib.import_module(module).main(words[1:]))
            _run_lightning(words, interruption)
        except BaseException:
            if (interruption.signum is None and not interruption.lost) or os.environ.get("MARS_TRACEBACK"):
                raise
        interruption.closing = True
        if interruption.signum is not None and os.environ.get("LOCAL_RANK", "0") == "0":
            print(f"mars: {interruption}", file=sys.stderr)
        return interruption.code


def _names_fit(words: Sequence[str]) -> bool:
    return any(word == "--fit" or word.startswith("--fit=") for word in words)


def _run_lightning(words: Sequence[str], interruption: Interruption) -> None:
    """Run fit, validate, test or predict."""
    for name, value in THREADS.items():  # before torch loads
        os.environ.setdefault(name, value)
    from mars_pl.cli.lightning_cli import run

    run(words, interruption)


def _refuse_shadowed_packages() -> None:
    """A folder ``callbacks`` or ``datamodules`` in the working directory hides ours where it leads the path."""
    for name in ("callbacks", "datamodules"):
        spec = importlib.util.find_spec(name)
        ours = Path(__file__).resolve().parents[2] / name
        if (
            spec is None
            or not spec.submodule_search_locations
            or Path(next(iter(spec.submodule_search_locations))).resolve() != ours
        ):
            raise DataError(
                f"the folder {name!r} on Python's path is not mars-pl's ({ours}); "
                "run the console script `mars` from elsewhere"
            )


def console() -> None:
    """Console script: exit with the command's code, or answer the shell that wants a word completed."""
    if "_ARGCOMPLETE" in os.environ:  # the lines that `mars completion` prints say so
        import argcomplete

        from mars_pl.commands.completion.parser import completing_parser

        commands = {**LIGHT_COMMANDS, "predict": FITTED}
        argcomplete.autocomplete(completing_parser(commands, LIGHTNING_COMMANDS, os.environ.get("COMP_LINE", "")))
    code = main()
    if code > 128:  # of data workers that the same signal ended torch would still tell while Python exits
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.exit(code)
