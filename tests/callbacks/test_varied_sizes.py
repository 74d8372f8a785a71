import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from callbacks.varied_sizes import VariedSizes, depthwise_convolutions
from tests.fakes.quiet_trainer import quiet_trainer


class Watching(pl.LightningModule):
    def __init__(self, groups):
        super().__init__()
        self.network, self.seen = nn.Conv2d(4, 4, 3, groups=groups), {}

    def _step(self, batch, batch_idx):
        self.seen.setdefault(str(self.trainer.state.stage.value), torch.backends.cudnn.enabled)
        return self.network(batch).sum()

    training_step = validation_step = test_step = predict_step = _step

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def watch(groups, tmp_path):
    module, loader = Watching(groups), DataLoader(torch.zeros(2, 4, 5, 5))
    options = {"max_epochs": 1, "num_sanity_val_steps": 0, "default_root_dir": tmp_path}
    trainer = quiet_trainer(callbacks=[VariedSizes()], **options)
    trainer.fit(module, loader, loader)
    trainer.test(module, loader, verbose=False)
    trainer.predict(module, loader)
    return module.seen


def test_cudnn_is_left_out_where_images_have_any_size_and_is_there_for_crops(tmp_path):
    assert watch(4, tmp_path) == {"train": True, "validate": False, "test": False, "predict": False}
    assert torch.backends.cudnn.enabled


def test_other_networks_keep_it(tmp_path):
    assert set(watch(2, tmp_path).values()) == {True}


def test_who_switched_it_off_finds_it_off(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "enabled", False)
    assert set(watch(2, tmp_path).values()) == {False}
    assert not torch.backends.cudnn.enabled


@pytest.mark.parametrize(
    ("convolution", "found"),
    [(nn.Conv2d(3, 6, 1, groups=3), True), (nn.Conv2d(1, 6, 3), False), (nn.Conv2d(4, 4, 3, groups=2), False)],
)
def test_a_convolution_is_depthwise_where_it_has_a_group_a_channel(convolution, found):
    assert depthwise_convolutions(nn.Sequential(nn.ReLU(), convolution)) == [convolution] * found
