"""SEAM: image to confident label and batch to gradient, beside the published steps in float64."""

import numpy as np
import pytest
import torch

from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.refine.dense_crf import DenseCRF
from mars_pl.wsss.propagation.confident_label import winners
from mars_pl.wsss.seam.confident_labels import BackgroundPowerLabels
from mars_pl.wsss.seam.network import SEAM
from mars_pl.wsss.seam.seam_module import SEAMModule
from tests.fidelity.published import seam as published
from tests.fidelity.published.psa import cell_label

SCALES = (0.5, 1.0, 1.5, 2.0)


def module(seed=0):
    """The real module in float64 on a small backbone, whose own row is Wide ResNet-38's; without dropout."""
    torch.manual_seed(seed)
    made = SEAMModule(lambda classes: SEAM(classes, TimmIntermediateFeatures("test_resnet")), 4, scales=SCALES)
    net = made.double().eval().network
    with torch.no_grad():  # no class wins everywhere: none responds to the mean feature
        mean = net.backbone(published.normalised(picture()))[2].mean((0, 2, 3))
        weight = net.classifier.weight[..., 0, 0]
        weight -= torch.outer(weight @ mean / mean.square().sum(), mean)
    return made


def picture(height=48, width=64, seed=0):
    """Coloured blobs and noise, uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    image = rng.integers(60, 120, (height, width, 3))
    for channel in range(3):
        top, left = rng.integers(0, height // 2), rng.integers(0, width // 2)
        image[top : top + height // 2, left : left + width // 2, channel] += 110
    return image.astype(np.uint8)


def batch_of(pictures, classes=None):
    image = torch.stack([torch.from_numpy(each).permute(2, 0, 1) for each in pictures])
    return {"id": [f"{index}" for index in range(len(image))], "image": image, "classes": classes}


def resized(shown, scale):
    """As torch resizes; the same as PIL but for roundings."""
    image, size = torch.from_numpy(shown).permute(2, 0, 1)[None], [round(side * scale) for side in shown.shape[:2]]
    sized = torch.nn.functional.interpolate(image.double(), size, mode="bicubic", antialias=True)
    return sized.round().clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("scale", SCALES)
def test_resized_images_differ_by_a_grey_level_at_most(scale):
    gap = np.abs(resized(picture(), scale).astype(int) - published.resized(picture(), scale).astype(int))
    assert gap.max() <= 1 and (gap > 0).mean() < 0.25


def test_image_to_both_maps():
    net = module().network
    shown = picture()
    with torch.no_grad():
        ours = net(batch_of([shown])["image"])
        theirs = published.maps_of(net, published.normalised(shown))
    for one, other in zip(ours, theirs, strict=True):
        assert (one - other).abs().max() < 1e-7
    assert ours.activation.dtype == torch.float64


def test_batch_to_loss_and_gradient(monkeypatch):
    made = module()
    monkeypatch.setattr(made, "log", lambda *args, **options: None)
    pictures = [picture(64, 64, seed) for seed in (1, 2)]
    label = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], dtype=torch.float64)
    ours = made.training_step(batch_of(pictures, label), 0)
    ours.backward()
    found = {name: value.grad.clone() for name, value in made.network.named_parameters() if value.grad is not None}
    made.network.zero_grad()
    x = torch.cat([published.normalised(each) for each in pictures])
    theirs = published.training_loss(made.network, x, label, made.view_scale)
    theirs.backward()
    expected = {name: value.grad for name, value in made.network.named_parameters() if value.grad is not None}
    assert abs(ours - theirs) < 1e-6
    largest = max(value.abs().max() for value in expected.values())
    assert found.keys() == expected.keys() and largest > 1e-3
    assert max((found[name] - expected[name]).abs().max() for name in expected) < 1e-5 * largest


@pytest.mark.parametrize(("present", "codes"), [([1], {0, 2, 255}), ([0, 2], {1, 3, 255})])
def test_image_to_confident_label_and_cells(present, codes):
    made = module()
    shown = picture(seed=1)
    classes = torch.zeros(1, 3)
    classes[0, present] = 1
    with torch.no_grad():
        out = made.predict_step(batch_of([shown], classes), 0)
        theirs = published.scores_of(made.network, shown, present, SCALES, resized)
    class_ids = [index + 1 for index in present]
    assert out["class_ids"].tolist() == class_ids
    assert (out["scores"] - theirs).abs().max() < 5e-5

    scores = theirs.float()  # what a label is drawn from is a float32 map
    confident = BackgroundPowerLabels(refine=DenseCRF("cam"))
    image = torch.from_numpy(shown).permute(2, 0, 1)
    ours = confident.compete(image, scores)
    low, high = published.competing(shown, scores.double())
    assert max((ours[0] - low).abs().max(), (ours[1] - high).abs().max()) < 1e-4
    label = confident(image, scores, torch.tensor(class_ids))
    expected = torch.tensor([255, *class_ids])[low.argmax(0)].masked_fill(high.argmax(0) == 0, 0)
    assert torch.equal(label, expected) and set(label.unique().tolist()) == codes
    cells = torch.nn.functional.avg_pool2d(ours, 8)
    assert torch.equal(winners(cells), cell_label(low, high))
