import pytest
import torch

from mars_pl.wsss.wood.losses import distance_loss, disturbed, none_of_the_classes


def test_distances_by_hand():
    features = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    classes = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    means = torch.tensor([[0.0, 1.0], [3.0, 0.0]])
    centres = torch.tensor([[6.0, 8.0], [0.0, 3.0], [3.0, 5.0], [0.0, 2.0], [30.0, 40.0]])
    # to the means of their classes: 1; √18 and 4. To clusters: 10, 3, √34, 2, 50; 5, √10, 1, √13, 45
    to_means = 1 + 18**0.5 + 4
    near = 1 + 2  # the largest 8 of 10 lie at or above 3
    assert distance_loss(features, classes, means, centres, 0.2).item() == pytest.approx(
        (to_means - near) / 10, rel=1e-5
    )


def test_a_step_draws_images_to_their_class_and_away_from_near_clusters():
    features = torch.tensor([[0.0, 0.0]], requires_grad=True)
    classes, means = torch.ones(1, 1), torch.tensor([[0.0, 2.0]])
    centres = torch.tensor([[1.0, 0.0], [0.0, -50.0], [0.0, -51.0], [0.0, -52.0], [0.0, -53.0]])
    distance_loss(features, classes, means, centres, 0.2).backward()
    assert features.grad[0].tolist() == pytest.approx([1 / 5, -1 / 5]), "descent moves left, away, and up, there"


def linear(pictures):
    """Logits of two classes: the red sum and half of the green sum."""
    sums = pictures.sum(dim=(2, 3))
    return torch.stack([sums[:, 0], sums[:, 1] / 2], dim=1)


def test_a_picture_moves_towards_what_it_is_most_like_within_its_range():
    pictures = torch.zeros(2, 3, 2, 2)
    pictures[0, 0], pictures[1, 1], pictures[:, 2, 0, 0] = 1.0, 1.0, 2.0
    moved = disturbed(linear, pictures, step=0.5)
    change = moved - pictures
    assert change[0, 0].unique().tolist() == [0.5] and change[0, 1:].abs().max() == 0
    assert change[1, 1].unique().tolist() == [0.25], "its gradient is half of the steepest"
    assert disturbed(linear, pictures, step=9.0).max() == 2.0
    assert not moved.requires_grad


def test_no_class_is_the_target_of_the_other_pictures():
    assert none_of_the_classes(torch.tensor([[0.0, 0.0]])).item() == pytest.approx(0.6931, abs=1e-4)
    assert none_of_the_classes(torch.full((3, 2), -20.0)).item() == pytest.approx(0, abs=1e-6)
