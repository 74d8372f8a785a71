import pickle

import pytest
import torch

from mars_pl.refine.dense_crf import DenseCRF
from mars_pl.wsss.propagation.confident_label import (
    CompetingLabels,
    ConfidentLabels,
    ThresholdConfidentLabels,
    combine,
    winners,
)

IMAGE = torch.zeros(3, 1, 4, dtype=torch.uint8)
SCORES = torch.tensor([[[0.9, 0.2, 0.04, 0.0]], [[0.1, 0.1, 0.01, 0.4]]])
CLASSES = torch.tensor([4, 17])


def test_the_table_of_both_labels():
    foreground = torch.tensor([3, 3, 0, 0, 5])
    background = torch.tensor([3, 0, 2, 0, 2])
    assert combine(foreground, background).tolist() == [3, 3, 255, 0, 5]


def test_between_the_two_scores_a_pixel_is_unsure():
    assert ThresholdConfidentLabels()(IMAGE, SCORES, CLASSES).tolist() == [[4, 255, 0, 17]]
    assert ThresholdConfidentLabels(0.5, 0.15)(IMAGE, SCORES, CLASSES).tolist() == [[4, 255, 0, 255]]


def test_one_score_leaves_nothing_unsure():
    assert ThresholdConfidentLabels(0.3, 0.3)(IMAGE, SCORES, CLASSES).tolist() == [[4, 0, 0, 17]]


def test_an_image_without_classes_is_confident_background():
    confident = ThresholdConfidentLabels(refine=DenseCRF("irn-label"))
    assert confident(IMAGE, torch.zeros(0, 1, 4), torch.zeros(0, dtype=torch.long)).tolist() == [[0, 0, 0, 0]]


def test_both_labels_are_refined_with_the_certainty_of_a_label():
    seen = []

    def keep(images, probabilities):
        seen.append(probabilities.clone())
        return probabilities

    confident = ThresholdConfidentLabels(refine=keep, certainty=0.7)
    assert confident(IMAGE, SCORES, CLASSES).tolist() == [[4, 255, 0, 17]]
    assert len(seen) == 2 and all(probabilities.shape == (1, 3, 1, 4) for probabilities in seen)
    assert torch.allclose(seen[0][0, :, 0, 1], torch.tensor([0.7, 0.15, 0.15]))  # background at .30
    assert torch.allclose(seen[1][0, :, 0, 1], torch.tensor([0.15, 0.7, 0.15]))  # class 4 at .05


def test_it_goes_to_worker_processes():
    confident = pickle.loads(pickle.dumps(ThresholdConfidentLabels(0.4, 0.1, refine=DenseCRF("irn-label"))))
    assert isinstance(confident, ConfidentLabels) and (confident.foreground_score, confident.background_score) == (
        0.4,
        0.1,
    )


@pytest.mark.parametrize("scores", [(0.05, 0.3), (1.2, 0.1), (0.5, -0.1)])
def test_scores_the_wrong_way_round_are_refused(scores):
    with pytest.raises(ValueError, match="give background_score ≤ foreground_score"):
        ThresholdConfidentLabels(*scores)


def test_winners_by_hand():
    """Cells: both backgrounds win; neither; the strong alone; the weak alone, which still is background; nothing."""
    strong = torch.tensor([[0.9, 0.2, 0.6, 0.3, 0.0], [0.1, 0.1, 0.4, 0.2, 0.0], [0.0, 0.7, 0.0, 0.5, 0.0]])
    weak = torch.tensor([[0.8, 0.1, 0.4, 0.6, 0.0], [0.2, 0.1, 0.6, 0.2, 0.0], [0.0, 0.8, 0.0, 0.2, 0.0]])
    competing = torch.stack([strong, weak])[:, :, None]
    assert winners(competing).tolist() == [[0, 2, 255, 0, 255]]
    assert winners(competing[None], unsure=9).tolist() == [[[0, 2, 9, 0, 9]]]


class Fixed(CompetingLabels):
    def compete(self, image, scores):
        return torch.stack([torch.cat([torch.full((1, 1, 4), level), scores]) for level in (0.3, 0.15)])


def test_a_label_names_the_classes_that_win():
    assert Fixed()(IMAGE, SCORES, CLASSES).tolist() == [[4, 255, 0, 17]]
