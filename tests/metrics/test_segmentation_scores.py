"""The torchmetrics metric gives the figures of the numpy functions."""

import sys

import numpy as np
import pytest
import torch

from mars_pl.metrics.confusion import confusion_matrix
from mars_pl.metrics.scores import Scores
from mars_pl.metrics.segmentation_scores import SegmentationScores

CODES = np.array([0, 1, 2, 3, 4, 254, 255])


@pytest.fixture
def batches():
    rng = np.random.default_rng(3)
    truth = rng.choice([0, 1, 2, 3, 255], (3, 2, 11, 13))
    return rng.choice(CODES, truth.shape), truth


@pytest.mark.parametrize("over", [None, [1, 3], [0, 2]])
def test_same_numbers_as_numpy(batches, over):
    predictions, truths = batches
    metric = SegmentationScores(num_classes=5, over=over)
    for prediction, truth in zip(predictions, truths, strict=True):
        metric.update(torch.from_numpy(prediction), torch.from_numpy(truth))
    confusion = confusion_matrix(predictions, truths, 5)
    assert np.array_equal(metric.confmat.numpy(), confusion)
    computed = {name: value.item() for name, value in metric.compute().items()}
    assert computed == pytest.approx(Scores.from_confusion(confusion, over).as_row(), abs=1e-9)
    assert metric.scores.iou.tolist() == pytest.approx(Scores.from_confusion(confusion).iou.tolist(), nan_ok=True)


def test_images_are_pooled_and_not_averaged():
    metric = SegmentationScores(num_classes=2)
    metric.update(torch.tensor([[1]]), torch.tensor([[1]]))
    metric.update(torch.tensor([[1, 0, 0]]), torch.tensor([[1, 1, 1]]))
    assert metric.scores.iou[1] == 0.5  # the mean of images would be 2/3
    metric.reset()
    assert metric.confmat.sum() == 0


def test_forward_returns_the_batch_and_keeps_the_sum():
    metric = SegmentationScores(num_classes=2)
    metric(torch.tensor([1]), torch.tensor([1]))
    assert metric(torch.tensor([0]), torch.tensor([1]))["miou"] == 0
    assert metric.confmat.tolist() == [[0, 0], [1, 1]]


def test_it_counts_under_deterministic_algorithms_without_the_slow_path(batches, monkeypatch):
    predictions, truths = map(torch.from_numpy, batches)
    plain, deterministic = SegmentationScores(5), SegmentationScores(5)
    plain.update(predictions, truths)

    def refuse(*args, **kwargs):
        raise AssertionError("torchmetrics' own count allocates N · C²")

    module = sys.modules["torchmetrics.functional.classification.confusion_matrix"]
    monkeypatch.setattr(module, "_bincount", refuse)
    torch.use_deterministic_algorithms(True)
    try:
        deterministic.update(predictions, truths)
    finally:
        torch.use_deterministic_algorithms(False)
    assert torch.equal(plain.confmat, deterministic.confmat)


def test_the_state_is_summed_over_processes():
    metric = SegmentationScores(num_classes=3)
    assert metric._reductions["confmat"](torch.ones(2, 3, 3)).tolist() == [[2.0] * 3] * 3


def test_a_truth_that_is_no_class_is_refused():
    with pytest.raises(ValueError, match="holds 254, classes go to 1"):
        SegmentationScores(num_classes=2).update(torch.tensor([0, 1]), torch.tensor([0, 254]))
