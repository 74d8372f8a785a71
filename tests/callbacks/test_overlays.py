import json
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger, WandbLogger
from torch.utils.data import DataLoader

from callbacks.overlays import Overlay, Overlays, of_one_size, side_by_side
from datamodules.files.labels import BIASED, IGNORED, write_label
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

    def __init__(self, truth=True):
        super().__init__()
        self.truth = truth

    def _loader(self):
        samples = []
        for index in range(5):
            sample = {"id": f"{index:03d}", "image": torch.full((3, 6, 8), 40 * index, dtype=torch.uint8)}
            samples.append(sample | ({"truth": torch.zeros(6, 8, dtype=torch.int64)} if self.truth else {}))
        return DataLoader(samples, batch_size=2)

    train_dataloader = val_dataloader = _loader


class Module(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch, index):
        return self.weight.sum()

    def validation_step(self, batch, index):
        return {"prediction": torch.full((len(batch["id"]), 6, 8), 1)}

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


def test_wandb_gets_masks_with_class_names(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    logger = WandbLogger(save_dir=tmp_path, offline=True, project="test")
    seen = []
    log_image = logger.log_image
    monkeypatch.setattr(
        logger, "log_image", lambda *args, **kwargs: (seen.append((args, kwargs)), log_image(*args, **kwargs))
    )
    try:
        trainer(tmp_path, logger, Overlays(count=2)).fit(Module(), datamodule=Data())
        directory = Path(logger.experiment.dir).parent
    finally:
        wandb.finish()
    ((_, images), keywords) = seen[0]
    assert len(images) == 2
    assert "step" not in keywords
    assert keywords["caption"] == ["000", "001"]
    mask = keywords["masks"][0]["prediction"]
    assert mask["mask_data"].shape == (6, 8)
    assert mask["class_labels"][1] == "train"
    assert mask["class_labels"][BIASED] == "biased (removed)"
    assert (
        len(list(directory.rglob("media/images/mask/*.png"))) == 2
    )  # one truth, one prediction: equal masks share a file
    assert len(list(directory.rglob("media/images/overlays*.png"))) == 2


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


def test_images_of_many_sizes_are_filled_up_to_one():
    wide = Overlay("wide", np.full((2, 9, 3), 7, np.uint8), {"truth": np.ones((2, 9), np.uint8)})
    high = Overlay("high", np.full((5, 4, 3), 8, np.uint8), {"prediction": np.zeros((5, 4), np.uint8)})
    first, second = of_one_size([wide, high])
    assert first.picture.shape == second.picture.shape == (5, 9, 3)
    assert (first.picture[:2] == 7).all() and not first.picture[2:].any()
    assert (first.masks["truth"][:2] == 1).all() and (first.masks["truth"][2:] == IGNORED).all()
    assert not second.masks["prediction"][:, :4].any() and (second.masks["prediction"][:, 4:] == IGNORED).all()
    assert (second.image_id, wide.picture.shape) == ("high", (2, 9, 3)), "what is kept for other loggers is as it was"


def test_wandb_has_nothing_to_say_about_sizes(tmp_path, monkeypatch, caplog):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    logger = WandbLogger(save_dir=tmp_path, offline=True, project="test")
    sizes = iter([(4, 6), (6, 5), (2, 8), (6, 7), (3, 3)])

    class ManySizes(Data):
        def _loader(self):
            samples = [(f"{index:03d}", *next(sizes)) for index in range(5)]
            loader = [
                {"id": image_id, "image": torch.full((3, *size), 9 * size[1], dtype=torch.uint8)}
                for image_id, *size in samples
            ]
            return DataLoader(loader, batch_size=1)

        val_dataloader = _loader

    class Whole(Module):
        def validation_step(self, batch, index):
            return {"prediction": torch.ones((1, *batch["image"].shape[2:]), dtype=torch.int64)}

    try:
        trainer(tmp_path, logger, Overlays()).fit(Whole(), datamodule=ManySizes())
        shown = list(Path(logger.experiment.dir).parent.rglob("media/images/overlays*.png"))
    finally:
        wandb.finish()
    assert len(shown) == 5
    assert "sizes do not match" not in caplog.text
