import pytest
import torch

from mars_pl.wsss.advcam.climbing import Climb, climbing_cam, climbing_step, objective
from mars_pl.wsss.advcam.grad_cam import channel_weights, pair_grad_cam
from tests.wsss.advcam.tiny_network import TinyNetwork, random_pair


def literal_objective(logits, cam, first_cam, index, regulariser, threshold):
    value = 0.0
    for view in logits.tolist():
        for k, channel in enumerate(view):
            cells = [max(cell, 0.0) for row in channel for cell in row]
            value += (1 if k == index else -1) * sum(cells) / len(cells)
    top = max(cell for row in cam.tolist() for cell in row)
    for row, first_row in zip(cam.tolist(), first_cam.tolist(), strict=True):
        for now, first in zip(row, first_row, strict=True):
            if now / top > threshold:
                value -= regulariser * abs(now - first)
    return value


@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_objective_agrees_with_loops(threshold):
    draw = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 4, 3, 5, dtype=torch.float64, generator=draw)
    cam, first_cam = torch.rand(2, 3, 5, dtype=torch.float64, generator=draw)
    for index in range(4):
        expected = literal_objective(logits, cam, first_cam, index, 7.0, threshold)
        found = objective(logits, cam, first_cam, index, Climb(mask_threshold=threshold))
        assert found.item() == pytest.approx(expected, rel=1e-12)


def test_objective_by_hand():
    logits = torch.tensor([[[[4.0, -2.0]], [[1.0, 1.0]]]] * 2)  # averages 2 and 1 in each view
    cam, first_cam = torch.tensor([[1.0, 0.4]]), torch.tensor([[0.5, 0.0]])  # one place is salient
    assert objective(logits, cam, first_cam, 0, Climb()).item() == 2 * (2 - 1) - 7 * 0.5
    assert objective(logits, cam, first_cam, 1, Climb(regulariser=0)).item() == 2 * (1 - 2)


def test_an_empty_map_has_no_salient_place():
    empty = torch.zeros(2, 2)
    assert objective(torch.ones(2, 1, 2, 2), empty, empty + 1, 0, Climb()).item() == 2


def literal_step(image, gradient, step):
    values, slopes = image.flatten().tolist(), gradient.flatten().tolist()
    steepest = max(abs(slope) for slope in slopes)
    moved = [value + step * slope / steepest for value, slope in zip(values, slopes, strict=True)]
    bounded = [min(max(value, min(values)), max(values)) for value in moved]
    return torch.tensor(bounded, dtype=torch.float64).view_as(image)


def test_a_step_agrees_with_loops_and_stays_in_the_range_of_the_image():
    draw = torch.Generator().manual_seed(4)
    image, gradient = torch.randn(2, 2, 3, 4, 5, dtype=torch.float64, generator=draw)
    for step in (0.08, 0.9):
        found = climbing_step(image, gradient, step)
        assert torch.allclose(found, literal_step(image, gradient, step), rtol=1e-10)
        assert found.min() >= image.min() and found.max() <= image.max()
    assert not torch.equal(found, image + 0.9 * gradient / gradient.abs().max()), "a long step meets the bounds"


def test_an_image_that_nothing_pulls_stays():
    image = torch.randn(2, 3, 4, 4)
    assert torch.equal(climbing_step(image, torch.zeros_like(image), 0.08), image)


def literal_climb(network, pair, index, climb):
    """The climb with slopes from differences of the objective; the weights of the map are held while a pixel moves."""
    total, first_cam = 0.0, None
    for _ in range(climb.iterations):
        features = network.features(pair).detach().requires_grad_()
        logits = network.classifier(features)
        (gradients,) = torch.autograd.grad(torch.relu(logits[:, index]).sum(), features)
        weights = channel_weights(gradients)

        def look(image, weights=weights):
            seen = network.features(image).detach()
            maps = torch.relu((weights * seen).sum(1))
            return network.classifier(seen).detach(), maps[0] + maps[1].flip(-1)

        cam = look(pair)[1]
        total = total + cam
        first_cam = cam if first_cam is None else first_cam

        def height(image, look=look, first_cam=first_cam):
            return literal_objective(*look(image), first_cam, index, climb.regulariser, climb.mask_threshold)

        slopes = torch.zeros_like(pair)
        for place in range(pair.numel()):
            nudge = torch.zeros_like(pair)
            nudge.view(-1)[place] = 1e-6
            slopes.view(-1)[place] = (height(pair + nudge) - height(pair - nudge)) / 2e-6
        pair = literal_step(pair, slopes, climb.step)
    return total


def test_a_climb_agrees_with_one_by_differences():
    network, pair, climb = TinyNetwork(), random_pair(size=(4, 6)), Climb(iterations=3, step=0.3)
    for index in range(3):
        found = climbing_cam(network, pair, index, climb)
        assert torch.allclose(found, literal_climb(network, pair, index, climb), rtol=1e-5, atol=1e-8)
    assert not torch.allclose(found, 3 * climbing_cam(network, pair, index, Climb(1)), rtol=1e-2)


def test_one_iteration_is_the_map_of_the_unchanged_image():
    network, pair = TinyNetwork(), random_pair().requires_grad_()
    features = network.features(pair)
    expected = pair_grad_cam(features, network.classifier(features), 1)
    assert torch.equal(climbing_cam(network, pair, 1, Climb(iterations=1)), expected)


def lead(seen, index):
    return (2 * seen[index] - seen.sum()).item()


@pytest.mark.parametrize("index", range(3))
def test_the_class_rises_over_the_others_at_every_step(index):
    network = TinyNetwork()
    climbing_cam(network, random_pair(), index, Climb(iterations=12, regulariser=0))
    leads = [lead(seen, index) for seen in network.seen]
    assert len(leads) == 12 and leads == sorted(leads) and leads[-1] > leads[0] + 0.1


def test_the_regulariser_keeps_salient_places():
    network, pair = TinyNetwork(), random_pair()
    first = climbing_cam(network, pair, 0, Climb(iterations=1))
    salient = first > 0.5 * first.max()

    def change(regulariser):
        mean = climbing_cam(network, pair, 0, Climb(12, regulariser=regulariser)) / 12
        return (mean - first).abs()[salient].sum().item()

    assert change(7.0) < 0.7 * change(0.0)


def test_a_climb_is_repeatable_and_leaves_image_and_network_as_they_were():
    network, pair = TinyNetwork(), random_pair()
    before = pair.clone()
    first = climbing_cam(network, pair, 2, Climb(4))
    assert torch.equal(climbing_cam(network, pair, 2, Climb(4)), first)
    assert torch.equal(pair, before) and not pair.requires_grad and not first.requires_grad
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"iterations": 0}, "iterations"),
        ({"step": 0.0}, "step"),
        ({"regulariser": -1.0}, "regulariser"),
        ({"mask_threshold": 1.5}, "mask_threshold"),
    ],
)
def test_a_senseless_climb_is_refused_by_name(options, name):
    with pytest.raises(ValueError, match=f"^{name}: ") as error:
        Climb(**options)
    assert str(next(iter(options.values()))) in str(error.value)
