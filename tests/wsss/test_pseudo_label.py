import torch
from torch import Tensor

from mars_pl.wsss.pseudo_label import label_probabilities, pseudo_label, region_index

SCORES = torch.tensor([[[0.9, 0.2, 0.1]], [[0.3, 0.6, 0.1]]])


def test_the_background_wins_where_no_class_exceeds_its_score():
    assert region_index(SCORES, 0.5).tolist() == [[1, 2, 0]]
    assert region_index(SCORES, 0.05).tolist() == [[1, 2, 1]]
    assert region_index(SCORES, 0.95).tolist() == [[0, 0, 0]]


def test_an_image_without_classes_is_background():
    assert region_index(torch.zeros(0, 2, 3), 0.3).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_probabilities_of_a_hard_label_share_the_rest():
    probabilities = label_probabilities(torch.tensor([[0, 2]]), 3, 0.7)
    assert torch.allclose(probabilities[:, 0, 0], torch.tensor([0.7, 0.15, 0.15]))
    assert torch.allclose(probabilities[:, 0, 1], torch.tensor([0.15, 0.15, 0.7]))


def test_labels_carry_the_class_ids_of_the_data():
    image = torch.zeros(3, 1, 3, dtype=torch.uint8)
    assert pseudo_label(image, SCORES, torch.tensor([4, 17]), 0.5, None).tolist() == [[4, 17, 0]]


def test_refinement_sees_background_and_the_images_classes_only():
    seen: list[Tensor] = []

    def everything_background(images: Tensor, probabilities: Tensor) -> Tensor:
        seen.append(probabilities)
        return torch.nn.functional.one_hot(torch.zeros(1, 1, 3, dtype=torch.long), 3).permute(0, 3, 1, 2).float()

    image = torch.zeros(3, 1, 3, dtype=torch.uint8)
    assert pseudo_label(image, SCORES, torch.tensor([4, 17]), 0.5, everything_background).tolist() == [[0, 0, 0]]
    assert seen[0].shape == (1, 3, 1, 3)


def test_an_image_of_background_alone_is_not_refined():
    def fail(images: Tensor, probabilities: Tensor) -> Tensor:
        raise AssertionError("nothing to refine")

    assert not pseudo_label(torch.zeros(3, 1, 3, dtype=torch.uint8), SCORES, torch.tensor([1, 2]), 1.0, fail).any()
