"""IRN's classifier: an image to its scores and confident label, a batch to its loss and gradients."""

from functools import partial

import pytest
import torch

from mars_pl.wsss.cam.classification_module import ClassificationModule
from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.cam.published import published_weights
from mars_pl.wsss.propagation.confident_label import ThresholdConfidentLabels
from tests.fidelity.published import cam
from tests.fidelity.published.resnet import bicubic, by_pil, in_double
from tests.wsss.irn_files import cam_file

WIDTHS, CLASSES, SCALES = (8, 12, 16, 24), (3, 11), (1.0, 0.5, 1.5, 2.0)
FILE = cam_file(blocks=(2, 2, 2, 2), widths=WIDTHS)
FROZEN = {"irn": ["conv1", "bn1", "layer1", "layer2"], "advcam": ["conv1", "bn1"]}


def module(frozen="irn", **options):
    """Ours, on the published file."""
    maker = partial(CAMClassifier, backbone="resnet26", dilated=False, backbone_options={"channels": WIDTHS})
    made = ClassificationModule(partial(maker, frozen=FROZEN[frozen]), 21, **options)
    made.network.load_state_dict(published_weights(FILE))
    return made.double()


def untied(height, width, scale=1.5):
    """A random image none of whose values at the scale lies so near a half that precision would decide on it."""
    for seed in range(1000):
        generator = torch.Generator().manual_seed(seed)
        image = torch.randint(0, 256, (3, height, width), generator=generator).to(torch.uint8)
        values = bicubic(image, (round(height * scale), round(width * scale)))
        if ((values - values.floor() - 0.5).abs() > 1e-4).all():
            return image
    raise AssertionError("no such image")


def predicted(image, **options):
    targets = torch.zeros(1, 20)
    targets[0, list(CLASSES)] = 1
    with torch.no_grad():
        out = module(**options).eval().predict_step({"id": ["a"], "image": image[None], "classes": targets}, 0)
    assert out["class_ids"].tolist() == [k + 1 for k in CLASSES]
    return out["scores"]


@pytest.mark.parametrize("size", [(24, 40), (29, 37)])
def test_an_image_has_the_published_scores(size):
    image = untied(*size)
    _, expected = cam.scores(in_double(FILE), image, CLASSES, SCALES)
    assert (predicted(image, scales=SCALES).double() - expected).abs().max() < 1e-6


def test_pil_rounds_between_rows_and_columns():
    """The deviation: its images at other scales than 1, seen by the same network."""
    image = untied(24, 40)
    _, expected = cam.scores(in_double(FILE), image, CLASSES, SCALES, by_pil)
    difference = (predicted(image, scales=SCALES).double() - expected).abs()
    assert 1e-4 < difference.max() < 0.02, "noise is the worst of images: it meets the bounds of uint8 everywhere"


def test_scores_give_the_published_confident_label():
    image = untied(24, 40)
    _, high_res = cam.scores(in_double(FILE), image, CLASSES, SCALES)
    background, foreground = high_res.amax(0).flatten().quantile(torch.tensor([0.3, 0.7]).double()).tolist()
    draw = ThresholdConfidentLabels(foreground, background)
    ours = draw(image, predicted(image, scales=SCALES), torch.tensor(CLASSES) + 1)
    assert torch.equal(ours, cam.confident(high_res, CLASSES, foreground, background))
    assert ours.unique().tolist() == [0, 4, 12, 255]


@pytest.mark.parametrize(("method", "detached_after"), [("irn", 2), ("advcam", 0)])
def test_a_batch_has_the_published_loss_and_gradients(method, detached_after, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (3, 3, 48, 48), generator=generator).to(torch.uint8)
    targets = (torch.rand(3, 20, generator=generator) < 0.2).double()
    state = in_double(FILE, learning=True)
    expected = cam.loss(state, images, targets, detached_after)
    expected.backward()

    ours = module(method)
    monkeypatch.setattr(ours, "log", lambda *_, **options: None)
    found = ours.train().training_step({"id": ["a"] * 3, "image": images, "classes": targets}, 0)
    found.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    names = {
        name: f"resnet50.{name.removeprefix('backbone.')}" if "backbone" in name else name
        for name in dict(ours.network.named_parameters())
    }
    learnt = {name for name, value in ours.network.named_parameters() if value.grad is not None}
    assert learnt == {name for name, key in names.items() if state[key].grad is not None}
    assert ("backbone.layer1.0.conv1.weight" in learnt) == (method == "advcam")
    for name in learnt:
        wanted = state[names[name]].grad
        assert (ours.network.get_parameter(name).grad - wanted).abs().max() <= 1e-5 * wanted.abs().max(), name
