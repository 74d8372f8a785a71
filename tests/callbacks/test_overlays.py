import json

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import wandb
from pytorch_lightning.loggers import Logger
from torch.utils.data import DataLoader

from callbacks.overlays import Overlay, Overlays, side_by_side
from datamodules.files.labels import BIASED, write_label
from mars_pl.dashboards.fit_logger import RunLogger
from tests.dashboards.offline_run import read_offline_runs
from tests.fakes.quiet_trainer import quiet_trainer

NAMES = ("background", "train", "boat <b>")


class Fake(Logger):
    def __init__(self):
        self.calls = []

    name, version = "fake", 0

    def log_image(self, key, images, step=None, **kwargs):
        self.calls.append((key, images, step, kwargs))

    def log_metrics(self, metrics, step=None): ...

    def log_hyperparams(self, *args, **kwargs): ...


class Data(pl.LightningDataModule):
    class_names = NAMES

    def __init__(self, truth=True, sizes=False):
        super().__init__()
        self.truth, self.sizes = truth, sizes

    def _loader(self):
        samples = []
        for index in range(5):
            name, width = (f"of <b>/{index:03d}", 8 + index) if self.sizes else (f"{index:03d}", 8)
            sample = {"id": name, "image": torch.full((3, 6, width), 40 * index, dtype=torch.uint8)}
            samples.append(sample | ({"truth": torch.zeros(6, width, dtype=torch.int64)} if self.truth else {}))
        return DataLoader(samples, batch_size=1 if self.sizes else 2)

    train_dataloader = val_dataloader = _loader


class Module(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch, index):
        return self.weight.sum()

    def validation_step(self, batch, index):
        return {"prediction": torch.ones(batch["image"][:, 0].shape, dtype=torch.int64)}

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def trainer(tmp_path, logger, callback, epochs=1):
    options = {"default_root_dir": tmp_path, "max_epochs": epochs, "log_every_n_steps": 1}
    return quiet_trainer(logger=logger, callbacks=[callback], **options)


def test_any_logger_gets_one_strip_a_picture(tmp_path):
    (tmp_path / "labels").mkdir()
    write_label(tmp_path / "labels" / "001.png", np.full((6, 8), BIASED, np.uint8))
    write_label(tmp_path / "labels" / "002.png", np.zeros((3, 3), np.uint8))  # of another size: left out
    logger = Fake()
    trainer(tmp_path, logger, Overlays({"Yᵇ": str(tmp_path / "labels")}, count=3)).fit(Module(), datamodule=Data())
    ((key, images, step, _),) = logger.calls
    assert (key, step) == ("overlays", None)
    assert [image.shape for image in images] == [
        (6, 24, 3),
        (6, 32, 3),
        (6, 24, 3),
    ]  # image, truth, prediction, label
    assert all(image.dtype == np.uint8 for image in images)


def test_every_second_epoch_and_not_in_the_sanity_check(tmp_path):
    logger = Fake()
    trainer(tmp_path, logger, Overlays(every_n_epochs=2), epochs=5).fit(Module(), datamodule=Data(truth=False))
    assert [len(images) for _, images, _, _ in logger.calls] == [5, 5]
    assert logger.calls[0][1][0].shape == (6, 16, 3)


def test_padding_is_cut_off(tmp_path):
    valid = torch.zeros(1, 6, 8, dtype=torch.bool)
    valid[0, 1:5, 2:8] = True
    batch = {"id": ["a"], "image": torch.zeros(1, 3, 6, 8, dtype=torch.uint8), "valid": valid}
    overlay = Overlays()._overlay(batch, torch.ones(1, 6, 8, dtype=torch.int64), 0, 21)
    assert overlay.picture.shape == (4, 6, 3)
    assert overlay.masks["prediction"].shape == (4, 6)


def test_wandb_gets_a_panel_an_image_with_class_names_whatever_its_size(tmp_path, capfd):
    logger = RunLogger(save_dir=tmp_path, mode="offline", project="test", settings=wandb.Settings(silent=True))
    trainer(tmp_path, logger, Overlays(count=3), epochs=2).fit(Module(), datamodule=Data(sizes=True))
    (run,) = read_offline_runs(tmp_path)
    assert run.exit_code == 0
    for index in range(3):  # the same in each epoch
        key = f"overlays/of <b>/{index:03d}"
        assert run.curve(f"{key.replace('<', '_').replace('>', '_')}/width") == [8 + index] * 2
    assert "sizes do not match" not in "".join(capfd.readouterr()).lower()
    for mask in ("truth", "prediction"):
        labels = run.class_labels[f"overlays/of _b_/000 {mask}"]
        assert (labels["1"], labels["2"], labels[str(BIASED)]) == ("train", "boat <b>", "biased (removed)")
    assert len(list(run.folder.rglob("media/images/mask/**/*.mask.png"))) >= 3


def test_without_a_logger_that_takes_images_nothing_is_kept(tmp_path):
    callback = Overlays()
    trainer(tmp_path, False, callback).fit(Module(), datamodule=Data())
    assert callback._overlays == []


@pytest.mark.parametrize("settings", [{"count": 51}, {"count": 0}, {"every_n_epochs": 0}])
def test_numbers_out_of_range(settings):
    with pytest.raises(ValueError, match="overlays"):
        Overlays(**settings)


def test_side_by_side_begins_with_the_image():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    strip = side_by_side(Overlay("a", image, {"truth": np.ones((2, 4), np.uint8)}))
    assert strip.shape == (2, 8, 3)
    np.testing.assert_array_equal(strip[:, :4], image)
    assert json.dumps(strip[0, 0].tolist()) == "[0, 1, 2]"
