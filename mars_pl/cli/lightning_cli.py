"""fit, validate, test and predict: one LightningCLI, subclass mode for model and data; the stage is the YAML."""

from __future__ import annotations

import logging
import re
import warnings
from argparse import ArgumentError
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.trainer.states import TrainerFn

from callbacks.depthwise_precision import DepthwisePrecision
from callbacks.finite_loss import FiniteLoss
from callbacks.fit_pace import FitPace
from callbacks.seed_steps import SeedSteps
from callbacks.varied_sizes import VariedSizes
from callbacks.weights_writer import WeightsWriter
from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from datamodules.segmentation_data import SegmentationData
from datamodules.unpickle.yaml_text import read_yaml_text
from mars_pl.cli.checkpoints import WholeCheckpoints
from mars_pl.cli.ending import EndOnSignal, last_checkpoint
from mars_pl.cli.interruption import Interruption
from mars_pl.cli.loggers import dashboard_callbacks, fit_loggers, listed
from mars_pl.cli.network_faults import network_fault
from mars_pl.cli.nulls import with_nulls
from mars_pl.cli.requeue import RequeueAfterStep
from mars_pl.cli.together import EndTogether
from mars_pl.dashboards.settings import tidy
from mars_pl.pipeline.execution.words import CHECKPOINT
from mars_pl.pipeline.settings.configs import find_config
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.training.initial_weights import leave_out_initial_weights

LINKS = ("num_classes", "ignore_index", "biased_index", "scored_class_ids", "crop_size", "class_names")
"""What is said once, by the data, and flows to every module that takes it."""

CONFIG = ("-c", "--config")

WRITER = "writer"
"""The callback that writes what a predict job predicts; a key of its own, so that an overlay can change parts of it."""

DEFAULTS = {"predict": {"default_config_files": [str(Path(__file__).parent / "predict_defaults.yaml")]}}
"""Of a subcommand's parser."""


class RunConfig(SaveConfigCallback):
    """Keeps the configuration as run: ``<default_root_dir>/<subcommand>.yaml``, and the logger's hyperparameters."""

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Write the configuration; a later run of the same stage replaces it."""
        path = Path(trainer.default_root_dir) / f"{trainer.state.fn.value}.yaml"  # type: ignore[union-attr]
        config = self.config.clone()
        if trainer.state.fn == TrainerFn.FITTING:
            config.pop("ckpt_path", None)  # what reads a finished fit's configuration does not go on with the fit
        text = self.parser.dump(config, skip_none=False)
        with whole_file(path) as partial:
            partial.write_text(text, encoding="utf-8")
        for logger in trainer.loggers:
            if not isinstance(logger, CSVLogger):  # which would write the same once more
                logger.log_hyperparams({"settings": tidy(read_yaml_text(text))})


class MarsCLI(LightningCLI):
    """The links, and what every fit does: reseed by epoch, keep the last checkpoint, leave its weights.

    Args:
        interruption: hears the signals that end the command.
        asked: the subcommand of the words; anything else lets the parser say which ones there are.
        options: of LightningCLI.
    """

    def __init__(self, interruption: Interruption, asked: str, **options: Any) -> None:
        self.interruption = interruption
        self.asked = asked
        defaults = {name: DEFAULTS[name] for name in self.subcommands() if name in DEFAULTS}
        super().__init__(pl.LightningModule, SegmentationData, parser_kwargs=defaults, **options)

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]  # called on the instance alone
        """Only the one that is asked for: a parser takes longer to build than the words to read."""
        known = super().subcommands()
        return {self.asked: known[self.asked]} if self.asked in known else known

    def init_parser(self, **options: Any) -> LightningArgumentParser:
        """Let a wrong option raise; the command says it in one line."""
        return super().init_parser(exit_on_error=False, **options)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Take the writer; link what the data says to the module, and the seed to the data."""
        parser.add_lightning_class_args(Callback, WRITER, subclass_mode=True, required=False)
        for name in LINKS:
            parser.link_arguments(f"data.{name}", f"model.init_args.{name}", apply_on="instantiate")
        parser.link_arguments("seed_everything", "data.init_args.seed")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Say what is wrong with a network's first parameter, which the parser only calls unknown."""
        try:
            super().parse_arguments(parser, args)
        except ArgumentError as error:
            raise network_fault(error) or error from None

    def _parse_ckpt_path(self) -> None:
        """Leave the checkpoint to the trainer: ours carry no settings, and Lightning would read each twice."""

    def before_instantiate_classes(self) -> None:
        """Leave out initial weights where those of a finished fit replace them all."""
        config = self.config[self.config.subcommand]
        weights = config.get("model.init_args.weights")
        if weights is None:
            return
        if self.config.subcommand != "fit" and config.get("ckpt_path") is not None:
            raise DataError(
                f"ckpt_path: {config.ckpt_path} would take the place of model.init_args.weights, {weights}; "
                "leave one out (--ckpt_path null)"
            )
        leave_out_initial_weights(config.model.init_args)

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Build the trainer; its default_root_dir holds everything that this run writes."""
        config = self._get(self.config_init, "trainer")
        root = Path(config["default_root_dir"])
        config["callbacks"] = [
            *(config.get("callbacks") or []),
            VariedSizes(),
            EndOnSignal(self.interruption),
            EndTogether(self.interruption),
        ]
        config["plugins"] = [*listed(config.get("plugins")), WholeCheckpoints()]
        if self._get(self.config_init, WRITER) is None:
            self._parser(self.subcommand).callback_keys.remove(WRITER)
        if self.subcommand == "fit":
            self.interruption.checkpoint = root / CHECKPOINT
            config["callbacks"] += [
                SeedSteps(),
                DepthwisePrecision(),
                RequeueAfterStep(),
                FiniteLoss(),
                last_checkpoint(root),
                WeightsWriter(),
            ]
            config["logger"] = fit_loggers(config.get("logger"), root)
            if config["logger"]:
                config["callbacks"] += [FitPace(), *dashboard_callbacks(config["callbacks"])]
        elif config.get("logger") is None:
            config["logger"] = False
        return super().instantiate_trainer(**kwargs)


def with_found_configs(args: Sequence[str]) -> list[str]:
    """Return the words with the path of each YAML that ``-c`` or ``--config`` names.

    Raises:
        ArgumentError: where there is no such YAML, neither here nor among the shipped ones.
        DataError: where it is none.
    """
    words: list[str] = []
    for word in args:
        flag, equals, value = word.partition("=")
        if flag in CONFIG and equals:
            words.append(f"{flag}={_config(value)}")
        else:
            words.append(_config(word) if words and words[-1] in CONFIG else word)
    return words


def _config(name: str) -> str:
    """The path of a YAML that can be read; what is no path but YAML itself stays."""
    if "{" in name:
        return name
    try:
        path = find_config(name)
    except DataError as error:
        raise ArgumentError(None, str(error)) from None
    read_settings(path)
    return str(path)


NOISE = (
    ".*in eval mode at the start of training.*",  # a frozen backbone and a teacher are so on purpose
    ".*does not have many workers.*",  # few are what two cores bear
    ".*LightningCLI's args parameter.*",  # `main` hands on what it was given
    ".*passed in a `val_dataloader` but have no `validation_step`.*",  # STEGO validates nothing
    ".*logs directory .* exists and is not empty.*",  # a stage's folder also holds its configuration
    ".*smaller than the logging interval.*",
    ".*your dataloader is not resumable.*",  # the datamodule reads on where a checkpoint was written
    ".*LeafSpec.*",  # torch's deprecation inside Lightning
    ".*No positive samples found in target.*",  # a class without a validation image
    ".*Sparse CSR tensor support is in beta state.*",  # the random walk's product of matrix and maps is tested here
)


def _quieten() -> None:
    """Silence what says nothing to a user of these commands: known warnings, device lists and advertisements."""
    for message in NOISE:
        warnings.filterwarnings("ignore", message)
    # Tensor cores would take float32 at TF32's precision, too coarse for the cosines of Eq. 1 and 4.
    idle = re.compile(r"[GTH]PU available|Tip:|estimate number of stepping batches|Tensor Cores|CUDA_VISIBLE_DEVICES")
    for name in (
        "pytorch_lightning.accelerators.cuda",
        "pytorch_lightning.utilities.rank_zero",
        "lightning_fabric.utilities.rank_zero",
        "lightning_fabric.utilities.seed",
    ):
        logging.getLogger(name).addFilter(lambda record: not idle.search(record.getMessage()))


def run(args: Sequence[str], interruption: Interruption) -> None:
    """Parse and run one subcommand of LightningCLI.

    Args:
        args: the words after ``mars``; a shipped YAML may be named as ``find_config`` knows it.
        interruption: hears the signals that end the command.
    """
    _quieten()
    MarsCLI(
        interruption,
        args[0],
        subclass_mode_model=True,
        subclass_mode_data=True,
        save_config_callback=RunConfig,
        save_config_kwargs={"save_to_log_dir": False},
        seed_everything_default=0,
        trainer_defaults={
            "default_root_dir": "runs/unnamed",
            "use_distributed_sampler": False,
            "num_sanity_val_steps": 0,
            "enable_model_summary": False,
        },
        auto_configure_optimizers=False,
        args=with_nulls(with_found_configs(args)),
    )
