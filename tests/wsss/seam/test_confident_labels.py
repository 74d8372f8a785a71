import pickle

import pytest
import torch

from mars_pl.refine.dense_crf import DenseCRF
from mars_pl.wsss.seam.confident_labels import BackgroundPowerLabels

IMAGE = torch.zeros(3, 1, 4, dtype=torch.uint8)


def test_confident_background_confident_objects_and_what_lies_between_by_hand():
    # Of one class a strong background (1 − s)⁴ wins below .2755, a weak one (1 − s)²⁴ below .0853.
    scores = torch.tensor([[[0.05, 0.1, 0.25, 0.3]]])
    label = BackgroundPowerLabels()(IMAGE, scores, torch.tensor([7]))
    assert label.dtype == torch.int64 and label.tolist() == [[0, 255, 255, 7]]


def test_objects_keep_the_class_that_is_strongest():
    scores = torch.tensor([[[0.9, 0.3, 0.0, 0.1]], [[0.2, 0.8, 0.0, 0.15]]])
    assert BackgroundPowerLabels()(IMAGE, scores, torch.tensor([3, 12])).tolist() == [[3, 12, 0, 255]]


def test_the_powers_are_options():
    scores = torch.tensor([[[0.05, 0.1, 0.25, 0.3]]])
    assert BackgroundPowerLabels(1, 2)(IMAGE, scores, torch.tensor([7])).tolist() == [[0, 0, 0, 0]]


def test_an_image_without_classes_is_background():
    label = BackgroundPowerLabels()(IMAGE, torch.zeros(0, 1, 4), torch.zeros(0, dtype=torch.int64))
    assert label.dtype == torch.int64 and label.tolist() == [[0, 0, 0, 0]]


def test_refinement_sees_both_backgrounds_and_background_is_confident_where_both_say_so():
    seen = []

    def refine(images, probabilities):
        seen.append(probabilities[0, 0].clone())
        return probabilities

    scores = torch.tensor([[[0.5, 0.0, 1.0, 0.25]]])
    confident = BackgroundPowerLabels()
    confident.refine = refine
    confident(IMAGE, scores, torch.tensor([1]))
    assert [background.flatten().tolist() for background in seen] == [
        pytest.approx([0.5**power, 1, 0, 0.75**power]) for power in (4, 24)
    ]


def test_dense_crf_of_the_published_settings_runs_in_a_worker():
    confident = pickle.loads(pickle.dumps(BackgroundPowerLabels(refine=DenseCRF("cam"))))
    image = torch.zeros(3, 20, 20, dtype=torch.uint8)
    image[:, :, 10:] = 255
    scores = torch.full((1, 20, 20), 0.02)
    scores[..., 10:] = 0.6
    scores[0, 5, 15] = 0.15  # a hole that the image does not know
    label = confident(image, scores, torch.tensor([2]))
    assert (label[:, 10:] == 2).all() and (label[:, :10] == 0).all()


@pytest.mark.parametrize("alphas", [(0, 4), (4, 4), (24, 4)])
def test_powers_in_the_wrong_order_are_refused(alphas):
    with pytest.raises(ValueError, match="low_alpha < high_alpha"):
        BackgroundPowerLabels(*alphas)


def test_what_competes_is_kept_for_cells():
    scores = torch.tensor([[[0.5, 0.0, 1.0, 0.25]]])
    competing = BackgroundPowerLabels().compete(IMAGE, scores)
    assert competing.shape == (2, 2, 1, 4)
    assert torch.equal(competing[:, 1:], scores.expand(2, 1, 1, 4))
    assert competing[:, 0, 0, 0].tolist() == pytest.approx([0.5**4, 0.5**24])
    assert BackgroundPowerLabels().compete(IMAGE, torch.zeros(0, 1, 4)).tolist() == [[[[1.0] * 4]]] * 2
