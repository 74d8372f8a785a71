import torch

from mars_pl.wsss.advcam.grad_cam import channel_weights, pair_grad_cam
from tests.wsss.advcam.tiny_network import TinyNetwork, random_pair


def literal_weights(gradients):
    positive = 0
    for value in gradients.flatten().tolist():
        positive += value > 0
    return [[sum(channel.flatten().tolist()) / positive for channel in view] for view in gradients]


def test_weights_are_sums_over_the_number_of_positive_gradients_of_the_whole_pair():
    gradients = torch.randn(2, 4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = torch.tensor(literal_weights(gradients), dtype=torch.float64)
    assert torch.allclose(channel_weights(gradients)[..., 0, 0], expected, rtol=1e-12)


def test_weights_by_hand():
    gradients = torch.tensor([[[[1.0, 2.0]], [[-4.0, 0.0]]], [[[3.0, 0.0]], [[-1.0, -1.0]]]])
    assert channel_weights(3 * gradients).flatten().tolist() == [3.0, -4.0, 3.0, -2.0]  # three are positive


def test_without_a_positive_gradient_the_sum_itself_is_the_weight():
    assert channel_weights(torch.full((2, 1, 1, 2), -1.0)).flatten().tolist() == [-2.0, -2.0]
    assert channel_weights(torch.zeros(2, 1, 1, 2)).flatten().tolist() == [0.0, 0.0]


def literal_grad_cam(features, weight, index):
    """By loops: the gradient of Σ ReLU(w · f) is w where w · f > 0 and 0 elsewhere."""
    views, channels, height, width = features.shape
    gradients = torch.zeros_like(features)
    for view in range(views):
        for y in range(height):
            for x in range(width):
                logit = sum(weight[index][k] * features[view, k, y, x].item() for k in range(channels))
                for k in range(channels):
                    gradients[view, k, y, x] = weight[index][k] if logit > 0 else 0.0
    weights = literal_weights(gradients)
    cam = torch.zeros(height, width, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            for view, column in ((0, x), (1, width - 1 - x)):
                total = sum(weights[view][k] * features[view, k, y, column].item() for k in range(channels))
                cam[y, x] += max(total, 0.0)
    return cam


def test_grad_cam_of_a_pair_agrees_with_loops():
    network, pair = TinyNetwork(), random_pair()
    pair[1] += 0.5  # after the first step the views mirror each other no longer
    features = network.features(pair)
    logits = network.classifier(features)
    weight = network.classifier.weight[..., 0, 0].tolist()
    seen = [pair_grad_cam(features, logits, index).detach() for index in range(3)]
    for index, cam in enumerate(seen):
        assert torch.allclose(cam, literal_grad_cam(features.detach(), weight, index), rtol=1e-10)
    assert min(cam.max() for cam in seen) > 0


def test_a_class_that_is_active_nowhere_has_an_empty_map():
    features = torch.rand(2, 5, 4, 4, dtype=torch.float64).requires_grad_()
    assert not pair_grad_cam(features, -features[:, :1], 0).any()
