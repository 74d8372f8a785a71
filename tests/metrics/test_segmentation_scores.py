"""The torchmetrics metric gives the figures of the numpy functions, and of an evaluation written out in loops."""

import numpy as np
import pytest
import torch

from mars_pl.metrics.confusion import class_counts, confusion_matrix
from mars_pl.metrics.scores import Scores
from mars_pl.metrics.segmentation_scores import SegmentationScores
from tests.processes.process_group import in_processes

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
    assert np.array_equal(metric.counts.numpy(), class_counts(predictions, truths, 5))
    values = metric.compute()
    classes = values.pop("classes")
    computed = {name: value.item() for name, value in values.items()}
    assert computed == pytest.approx(Scores.from_confusion(confusion, over).as_row(), abs=1e-9)
    expected = Scores.from_confusion(confusion)
    assert metric.scores.iou.tolist() == pytest.approx(expected.iou.tolist(), nan_ok=True)
    np.testing.assert_array_equal(classes.numpy(), [expected.iou, expected.class_fp, expected.class_fn])


def test_images_are_pooled_and_not_averaged():
    metric = SegmentationScores(num_classes=2)
    metric.update(torch.tensor([[1]]), torch.tensor([[1]]))
    metric.update(torch.tensor([[1, 0, 0]]), torch.tensor([[1, 1, 1]]))
    assert metric.scores.iou[1] == 0.5  # the mean of images would be 2/3
    metric.reset()
    assert metric.counts.sum() == 0


def test_forward_returns_the_batch_and_keeps_the_sum():
    metric = SegmentationScores(num_classes=2)
    metric(torch.tensor([1]), torch.tensor([1]))
    assert metric(torch.tensor([0]), torch.tensor([1]))["miou"] == 0
    assert metric.counts.tolist() == [[0, 1], [1, 1], [0, 2]]


def test_it_counts_the_same_under_deterministic_algorithms(batches):
    predictions, truths = map(torch.from_numpy, batches)
    plain, deterministic = SegmentationScores(5), SegmentationScores(5)
    plain.update(predictions, truths)
    torch.use_deterministic_algorithms(True)
    try:
        deterministic.update(predictions, truths)
    finally:
        torch.use_deterministic_algorithms(False)
    assert torch.equal(plain.counts, deterministic.counts)


def test_the_classes_of_open_images_take_half_a_megabyte():
    metric = SegmentationScores(19_794)
    metric.update(torch.full((500, 500), 19_793), torch.full((500, 500), 7))
    assert sum(state.nbytes for state in metric.metric_state.values()) == 3 * 19_794 * 8
    assert metric.scores.class_fp[19_793] == 1 and metric.scores.class_fn[7] == 1


def transcription(predictions, truths, num_classes):
    """The published evaluators in loops: truth below 255 counts; P, T and TP a class; an empty union is skipped."""
    predictions = [np.where(prediction < num_classes, prediction, 0) for prediction in predictions]
    figures = []
    for class_id in range(num_classes):
        p = t = both = 0
        for prediction, truth in zip(predictions, truths, strict=True):
            counted = truth < 255
            p += np.sum((prediction == class_id) & counted)
            t += np.sum((truth == class_id) & counted)
            both += np.sum((prediction == class_id) & (truth == class_id) & counted)
        union = t + p - both
        figures.append([both / union, (p - both) / union, (t - both) / union] if union else [np.nan] * 3)
    iou, fp, fn = np.array(figures).T
    means = {"miou": iou, "fp": fp[1:], "fn": fn[1:], "fp_all": fp, "fn_all": fn}
    return {name: np.nanmean(values) for name, values in means.items()}, np.stack([iou, fp, fn])


@pytest.fixture(scope="module")
def masks():
    """Nine images of several sizes; class 4 is nowhere, 5 only predicted, 6 only in the truth."""
    rng = np.random.default_rng(11)
    sizes = rng.integers(3, 30, (9, 2))
    truths = [rng.choice([0, 1, 2, 3, 6, 255], size) for size in sizes]
    return [rng.choice([0, 1, 2, 3, 5, 254, 255], size) for size in sizes], truths


def count_share(rank, processes, masks):
    metric = SegmentationScores(num_classes=7)
    for prediction, truth in list(zip(*masks, strict=True))[rank::processes]:
        metric.update(torch.from_numpy(prediction), torch.from_numpy(truth))
    values = metric.compute()
    return {name: value.item() for name, value in values.items() if name != "classes"}, values["classes"].numpy()


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_a_transcription_gives_the_same_whatever_the_number_of_processes(masks, processes):
    found = in_processes(processes, count_share, processes, masks)
    means, classes = transcription(*masks, 7)
    for rank in range(processes):
        assert found[rank][0] == pytest.approx(means, rel=0, abs=1e-9)
        np.testing.assert_allclose(found[rank][1], classes, rtol=0, atol=1e-9)


def test_evaluate_gives_what_the_transcription_gives(masks):
    confusion = sum(confusion_matrix(prediction, truth, 7) for prediction, truth in zip(*masks, strict=True))
    assert Scores.from_confusion(confusion).as_row() == pytest.approx(transcription(*masks, 7)[0], rel=0, abs=1e-9)


def test_a_truth_that_is_no_class_is_refused():
    with pytest.raises(ValueError, match="holds 254, classes go to 1"):
        SegmentationScores(num_classes=2).update(torch.tensor([0, 1]), torch.tensor([0, 254]))
