import copy

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from callbacks.depthwise_precision import DepthwisePrecision
from tests.fakes.quiet_trainer import quiet_trainer


class Recording(nn.Conv2d):
    """A convolution that notes the type of what it computes, as it stands when gradients are wanted and when not."""

    def forward(self, features):
        result = super().forward(features)
        self.seen = {**getattr(self, "seen", {}), torch.is_grad_enabled(): result.dtype}
        return result


class Trained(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(Recording(2, 4, 3), Recording(4, 4, 3, groups=4), Recording(4, 1, 1))
        self.teacher = copy.deepcopy(self.network)

    def training_step(self, batch, batch_idx):
        with torch.no_grad():
            self.teacher(batch)
        return self.network(batch).float().square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(precision, tmp_path):
    torch.manual_seed(0)
    module = Trained()
    options = {"max_epochs": 1, "precision": precision, "default_root_dir": tmp_path}
    trainer = quiet_trainer(callbacks=[DepthwisePrecision()], **options)
    trainer.fit(module, DataLoader(torch.rand(2, 2, 6, 6), batch_size=2))
    return module


def test_only_the_depthwise_convolution_learns_in_float32(tmp_path):
    module = fit("bf16-mixed", tmp_path)
    half, full = torch.bfloat16, torch.float32
    assert [part.seen for part in module.network] == [{True: half}, {True: full}, {True: half}]
    assert [part.seen for part in module.teacher] == [{False: half}] * 3


@pytest.mark.parametrize("precision", ["32-true", "bf16-true"])
def test_a_fit_of_one_precision_is_left_alone(tmp_path, precision):
    module = fit(precision, tmp_path)
    assert not any("forward" in vars(part) for part in module.modules())


def test_weights_keep_their_names_and_move(tmp_path):
    torch.manual_seed(0)
    before = Trained().state_dict()
    after = fit("bf16-mixed", tmp_path).state_dict()
    assert before.keys() == after.keys()
    assert not torch.equal(before["network.1.weight"], after["network.1.weight"])


@pytest.mark.parametrize("precision", ["bf16-mixed", "32-true"])
def test_a_copy_made_after_the_set_up_computes_with_its_own_weights(tmp_path, precision):
    network = fit(precision, tmp_path).network
    twin = copy.deepcopy(network)
    nn.init.zeros_(twin[1].weight)
    nn.init.zeros_(twin[1].bias)
    assert network[:2](torch.ones(1, 2, 6, 6)).any()
    assert not twin[:2](torch.ones(1, 2, 6, 6)).any()
