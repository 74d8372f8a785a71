import pytest
import torch
import torch.nn.functional as F

from mars_pl.wsss.rsepm.inference import multi_scale_scores


def literal_scores(network, image, present, scales, flip):
    """One view after the other, logits enlarged before the softmax, as infer_rsepm.py has it."""
    height, width = image.shape[-2:]
    views = []
    for scale in scales:
        size = (int(height * scale), int(width * scale))
        view = F.interpolate(image.double(), size, mode="bilinear", align_corners=False)
        for mirrored in [False, True] if flip else [False]:
            logits = network(view.flip(-1) if mirrored else view).segmentation_logits
            probabilities = F.interpolate(logits, size, mode="nearest").softmax(1)
            first = (int(height * scales[0]), int(width * scales[0]))
            probabilities = F.interpolate(probabilities, first, mode="nearest")
            views.append(probabilities.flip(-1) if mirrored else probabilities)
    mean = F.interpolate(torch.cat(views).mean(0, keepdim=True), (height, width), mode="bilinear")[0, 1:]
    return torch.stack([mean[index] / (mean[index].max() + 1e-5) for index in present.tolist()])


@pytest.mark.parametrize(("scales", "flip"), [([1.0, 0.5, 1.5], True), ([0.5, 1.0], False)])
def test_equals_the_literal_procedure(make_network, scales, flip):
    network = make_network().eval().double()
    image = torch.randint(0, 256, (1, 3, 50, 70), dtype=torch.uint8)
    present = torch.tensor([0, 2])
    with torch.no_grad():
        scores = multi_scale_scores(network, image, present, scales, flip)
        expected = literal_scores(network, image, present, scales, flip)
    assert scores.shape == (2, 50, 70)
    assert torch.allclose(scores.double(), expected, atol=1e-5)
    assert scores.min() >= 0 and scores.max() < 1


def test_an_image_without_classes_has_no_maps(make_network):
    image = torch.zeros(1, 3, 32, 40, dtype=torch.uint8)
    present = torch.zeros(0, dtype=torch.int64)
    assert multi_scale_scores(make_network().eval(), image, present, [1.0]).shape == (0, 32, 40)


def test_no_scale_is_refused(make_network):
    with pytest.raises(ValueError, match="scales"):
        multi_scale_scores(make_network(), torch.zeros(1, 3, 8, 8, dtype=torch.uint8), torch.tensor([0]), [])
