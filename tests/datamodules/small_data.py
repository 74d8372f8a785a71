"""A data module over twelve small images, and who keeps what it hands over."""

import pytorch_lightning as pl
import torch

from datamodules.datasets.random_crops import RandomCrops
from datamodules.segmentation_data import SegmentationData
from tests.fakes.fake_tree import CLASSES

NAMES = ["background", *CLASSES]


def data(root, **options):
    settings = {"workers": 0, "batch_size": 4, "training_set": RandomCrops(32, (30, 60))} | options
    return SegmentationData(str(root), NAMES, **settings)


class Recorder(pl.LightningModule):
    """Learns nothing and keeps what it saw."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen, self.sums, self.validated, self.predicted = [], [], [], []

    def training_step(self, batch, batch_idx):
        self.seen.append((self.current_epoch, tuple(batch["id"])))
        self.sums.append(int(batch["image"].sum()))
        return self.weight.sum()

    def validation_step(self, batch, batch_idx):
        self.validated += batch["id"]

    def predict_step(self, batch, batch_idx):
        self.predicted += batch["id"]

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trainer(folder, **options):
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
    quiet |= {"accelerator": "cpu", "devices": 1, "use_distributed_sampler": False}
    return pl.Trainer(default_root_dir=folder, **quiet, **options)
