import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import nn

import callbacks.learning.correct_labels as correct_labels
from callbacks.learning.correct_labels import FOLDER, CorrectLabels, label_counts
from datamodules.datasets.beside.corrected_crops import CorrectedCrops
from datamodules.datasets.random_crops import RandomCrops
from datamodules.errors import DataError
from datamodules.files.labels import read_label
from datamodules.segmentation_data import SegmentationData
from tests.fakes.fake_tree import CLASSES, make_voc_tree
from tests.fakes.quiet_trainer import quiet_trainer


class Certain(nn.Module):
    """Says class 1 of every pixel, and is sure of it."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(30.0))

    def forward(self, images):
        return self.scale * nn.functional.one_hot(torch.ones(images.shape[0], *images.shape[2:]).long(), 4).movedim(
            3, 1
        )


class Module(pl.LightningModule):
    num_classes = 4

    def __init__(self):
        super().__init__()
        self.network, self.predicted, self.labels = Certain(), None, []

    def training_step(self, batch, batch_index):
        self.predicted = torch.ones_like(batch["label"])
        self.labels.append((self.current_epoch, dict(zip(batch["id"], batch["label"], strict=True))))
        return self.network.scale * 0

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


@pytest.fixture
def root(tmp_path):
    make_voc_tree(tmp_path / "voc", 8, pseudo="Pseudo")
    return tmp_path / "voc"


def fit(root, callback, training_set=None, **options):
    data = SegmentationData(
        str(root),
        ["background", *CLASSES],
        label_folder="Pseudo",
        validate_split=None,
        batch_size=2,
        workers=0,
        training_set=training_set or CorrectedCrops(crop_size=24, long_side=None, scale=(1.0, 1.0), flip=False),
    )
    module = Module()
    trainer = quiet_trainer(
        callbacks=[callback], default_root_dir=root.parent / "run", use_distributed_sampler=False, **options
    )
    trainer.fit(module, datamodule=data)
    return module, data


def test_the_pixels_of_a_class_by_hand():
    prediction = torch.tensor([[0, 1, 1, 2], [2, 2, 0, 1]])
    label = torch.tensor([[0, 1, 2, 2], [0, 255, 254, 1]])
    assert label_counts(prediction, label, 3).tolist() == [[1, 2, 1], [1, 3, 2], [2, 2, 2]]


def test_a_learnt_class_is_corrected_from_the_next_epoch_on(root, monkeypatch):
    asked = []

    def ended(ious, per_epoch, epoch, change):
        asked.append((len(ious), per_epoch, epoch, change))
        return epoch == 1 and len(asked) % 3 == 1  # the first of three classes

    monkeypatch.setattr(correct_labels, "early_learning_ended", ended)
    callback = CorrectLabels(points=2)
    module, data = fit(root, callback, max_epochs=4)
    assert callback.corrected == [1]
    assert asked[0] == (2, 2, 0, 0.9) and len(callback.curves) == 8, "two points an epoch"
    right = callback.curves[0]
    assert right[0] == right[2] == right[3] == 0 and 0 < right[1] < 1, "everything is called class 1"
    folder = root.parent / "run" / FOLDER
    assert sorted(path.name for path in folder.iterdir()) == ["2", "3"], "nobody learns from an epoch after the last"
    for name in data.training_set.crops.images.ids:
        first = read_label(root / "Pseudo" / f"{name}.png")
        path = folder / "2" / f"{name}.png"
        if 1 in first:
            assert (read_label(path) == 1).all()
        else:
            assert not path.exists()
    concerned = {path.stem for path in (folder / "2").glob("*.png")}
    for epoch, labels in module.labels:
        for name, label in labels.items():
            assert bool((label[label != 255] == 1).all()) == (epoch >= 2 and name in concerned)


def test_state_survives_and_an_earlier_fits_labels_do_not(root):
    stale = root.parent / "run" / FOLDER / "1"
    stale.mkdir(parents=True)
    callback = CorrectLabels()
    fit(root, callback, max_epochs=1)
    assert not stale.exists()
    callback.corrected, callback._counts = [2], torch.tensor([[1, 2, 3, 4]] * 3)
    other = CorrectLabels()
    other.load_state_dict(callback.state_dict())
    assert (other.corrected, other.curves) == ([2], callback.curves)
    assert torch.equal(other._counts, callback._counts)


def test_a_resumed_fit_without_its_labels_is_refused(root, tmp_path):
    callback = CorrectLabels()
    callback.newest = 3
    with pytest.raises(
        DataError, match=r"corrected_labels/3: the checkpoint goes on with corrected labels that are not"
    ):
        fit(root, callback, max_epochs=1)


def test_other_data_are_refused(root):
    with pytest.raises(DataError, match="CorrectLabels: wants ADELEModule and CorrectedCrops"):
        fit(root, CorrectLabels(), RandomCrops(crop_size=24), max_epochs=1)


@pytest.mark.parametrize(
    ("options", "words"), [({"points": 0}, "points: at least one"), ({"change": 1.0}, "change: a")]
)
def test_numbers_out_of_range(options, words):
    with pytest.raises(ValueError, match=words):
        CorrectLabels(**options)


def test_labels_are_written_in_the_datas_type(root, monkeypatch):
    monkeypatch.setattr(correct_labels, "early_learning_ended", lambda *_: True)
    fit(root, CorrectLabels(), max_epochs=2)
    written = list((root.parent / "run" / FOLDER / "1").glob("*.png"))
    assert written and all(read_label(path).dtype == np.uint8 for path in written)
