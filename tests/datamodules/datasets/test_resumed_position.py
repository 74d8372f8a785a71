"""Where a fit stands, asked for at each moment at which Lightning writes a checkpoint."""

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from datamodules.datasets.samplers import FitPosition, position_of
from tests.fakes.quiet_trainer import quiet_trainer


class Asks(pl.Callback):
    """Asks in a hook, each time it is called."""

    def __init__(self, hook):
        self.found = []
        setattr(self, hook, lambda trainer, *_: self.found.append(position_of(trainer)))


class Module(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def training_step(self, batch):
        return self.layer(batch).sum()

    def validation_step(self, batch):
        return None

    def configure_optimizers(self):
        return None


@pytest.mark.parametrize(
    ("hook", "found"),
    [
        ("on_train_batch_end", [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]),
        ("on_validation_end", [(1, 0), (2, 0)]),
        ("on_train_epoch_end", [(1, 0), (2, 0)]),
        ("on_train_end", [(2, 0)]),
    ],
)
def test_three_batches_an_epoch(hook, found):
    loader = DataLoader(torch.tensor([[0.0], [1.0], [2.0]]))
    asks = Asks(hook)
    quiet_trainer(max_epochs=2, callbacks=[asks], num_sanity_val_steps=0).fit(Module(), loader, loader)
    assert asks.found == [FitPosition(*place) for place in found]
