"""AdvCAM: an image to its scores; what its classifier learns is in test_cam.py, what follows in test_irn.py."""

from functools import partial

import pytest
import torch

from mars_pl.wsss.advcam.advcam_module import AdvCAMModule
from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.cam.published import published_weights
from tests.fidelity.published import advcam
from tests.fidelity.published.resnet import in_double
from tests.fidelity.test_cam import CLASSES, FILE, WIDTHS, untied


@pytest.mark.parametrize("iterations", [3, 12])
def test_an_image_has_the_published_scores(iterations):
    image = untied(24, 40)
    maker = partial(CAMClassifier, backbone="resnet26", dilated=False, backbone_options={"channels": WIDTHS})
    module = AdvCAMModule(maker, 21, iterations=iterations).eval()
    module.network.load_state_dict(published_weights(FILE))
    targets = torch.zeros(1, 20)
    targets[0, list(CLASSES)] = 1
    found = module.double().predict_step({"id": ["a"], "image": image[None], "classes": targets}, 0)["scores"]
    _, expected = advcam.scores(in_double(FILE), image, CLASSES, iterations)
    assert (found.double() - expected).abs().max() < 1e-6
    _, still = advcam.scores(in_double(FILE), image, CLASSES, 1)
    assert (expected - still).abs().max() > 0.01, "the image did climb"
