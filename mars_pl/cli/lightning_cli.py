"""fit, validate, test and predict: one LightningCLI, subclass mode for model and data; the stage is the YAML."""

from __future__ import annotations

import itertools
import logging
import re
import warnings
from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.csv_logs import ExperimentWriter
from pytorch_lightning.utilities import rank_zero_only

from callbacks.depthwise_precision import DepthwisePrecision
from callbacks.seed_epoch import SeedEpoch
from callbacks.varied_sizes import VariedSizes
from callbacks.weights_writer import WeightsWriter
from datamodules.segmentation_data import SegmentationData
from mars_pl.pipeline.settings.settings_file import read_settings

LINKS = ("num_classes", "ignore_index", "biased_index")
"""What is said once, by the data, and flows to every module and network that takes it."""

WRITER = "writer"
"""The callback that writes what a predict job predicts; a key of its own, so that an overlay can change parts of it."""


class RunConfig(SaveConfigCallback):
    """Keeps the configuration as run: ``<default_root_dir>/<subcommand>.yaml``, and the logger's hyperparameters."""

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Write the configuration; a later run of the same stage replaces it."""
        path = Path(trainer.default_root_dir) / f"{trainer.state.fn.value}.yaml"  # type: ignore[union-attr]
        path.parent.mkdir(parents=True, exist_ok=True)
        self.parser.save(self.config, str(path), skip_none=False, overwrite=True, multifile=False)
        if trainer.logger is not None and not isinstance(trainer.logger, CSVLogger):
            trainer.logger.log_hyperparams({"config": self.parser.dump(self.config, skip_none=False)})


class MarsCLI(LightningCLI):
    """The links, and what every fit does: reseed by epoch, keep the last checkpoint, leave its weights.

    Args:
        has_network: the module takes a ``network``, whose number of classes is linked too; jsonargparse ignores a link
            to an argument that a class lacks, but not one to an argument of an argument.
        options: of LightningCLI.
    """

    def __init__(self, has_network: bool, **options: Any) -> None:
        self.has_network = has_network
        super().__init__(pl.LightningModule, SegmentationData, **options)

    def init_parser(self, **options: Any) -> LightningArgumentParser:
        """Let a wrong option raise; the command says it in one line."""
        return super().init_parser(exit_on_error=False, **options)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Take the writer; link what the data says to the module and its parts, and the seed to the data."""
        parser.add_lightning_class_args(Callback, WRITER, subclass_mode=True, required=False)
        for name in LINKS:
            parser.link_arguments(f"data.{name}", f"model.init_args.{name}", apply_on="instantiate")
        if self.has_network:
            parser.link_arguments(
                "data.num_classes", "model.init_args.network.init_args.num_classes", apply_on="instantiate"
            )
        parser.link_arguments("data.scored_class_ids", "model.init_args.scored_class_ids", apply_on="instantiate")
        parser.link_arguments("seed_everything", "data.init_args.seed")

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Build the trainer; its default_root_dir holds everything that this run writes."""
        config = self._get(self.config_init, "trainer")
        root = Path(config["default_root_dir"])
        config["callbacks"] = [*(config.get("callbacks") or []), VariedSizes()]
        if self._get(self.config_init, WRITER) is None:
            self._parser(self.subcommand).callback_keys.remove(WRITER)
        if self.subcommand == "fit":
            config["callbacks"] += [
                SeedEpoch(),
                DepthwisePrecision(),
                # monitor-free: no stage chooses an epoch by pixel masks
                ModelCheckpoint(
                    root / "checkpoints", filename="last", enable_version_counter=False, save_on_train_epoch_end=True
                ),
                WeightsWriter(),
            ]
        if config.get("logger") is None:
            if self.subcommand == "fit":
                keep_earlier_log(root)
            config["logger"] = CSVLogger(root, name="", version="") if self.subcommand == "fit" else False
        return super().instantiate_trainer(**kwargs)


@rank_zero_only
def keep_earlier_log(root: Path) -> None:
    """Move the lines of a fit that was broken off to ``metrics-1.csv``, -2, …: CSVLogger starts its file anew."""
    log = root / ExperimentWriter.NAME_METRICS_FILE
    if log.is_file():
        log.rename(next(path for n in itertools.count(1) if not (path := root / f"{log.stem}-{n}.csv").exists()))


def takes_network(args: Sequence[str]) -> bool:
    """Tell from the words after ``mars`` whether the module they name has an argument ``network``.

    Raises:
        DataError: where a configuration among them is no YAML or holds no settings.
    """
    class_path = ""
    words = [part for word in args for part in (word.split("=", 1) if word.startswith("-") else [word])]
    for flag, value in itertools.pairwise(words):
        if flag in ("-c", "--config") and Path(value).is_file():
            model = read_settings(Path(value)).get("model")
            named = model.get("class_path") if isinstance(model, dict) else model
            class_path = named if isinstance(named, str) else class_path
        elif flag in ("--model", "--model.class_path"):
            class_path = value
    try:
        return "network" in signature(resolve_name(class_path)).parameters
    except (ImportError, AttributeError, TypeError, ValueError):
        return False  # the parser names what is wrong with it


NOISE = (
    ".*in eval mode at the start of training.*",  # a frozen backbone and a teacher are so on purpose
    ".*does not have many workers.*",  # few are what two cores bear
    ".*LightningCLI's args parameter.*",  # `main` hands on what it was given
    ".*passed in a `val_dataloader` but have no `validation_step`.*",  # STEGO validates nothing
    ".*logs directory .* exists and is not empty.*",  # a stage's folder also holds its configuration
    ".*smaller than the logging interval.*",
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


def run(args: Sequence[str]) -> None:
    """Parse and run one subcommand of LightningCLI."""
    _quieten()
    MarsCLI(
        takes_network(args),
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
        parser_kwargs={"predict": {"default_config_files": [str(Path(__file__).parent / "predict_defaults.yaml")]}},
        args=list(args),
    )
