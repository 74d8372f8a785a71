"""Masks of a network of one's own, and what is said of what cannot be segmented."""

import numpy as np
import pytest
import torch

from mars_pl.api import predict
from mars_pl.refine.pamr import PAMR
from mars_pl.segment.sliding_window import SlidingWindow


class Brightness(torch.nn.Module):
    """Logits of two classes at half the image's size: dark, and bright."""

    def forward(self, images):
        bright = torch.nn.functional.avg_pool2d(images.float().mean(dim=1, keepdim=True), 2) / 255 - 0.5
        return 20 * torch.cat([-bright, bright], dim=1)


def half_bright():
    image = np.zeros((12, 16, 3), np.uint8)
    image[:, 8:] = 255
    return image


def test_masks_of_a_network_of_ones_own_in_either_order_of_sides():
    expected = (half_bright()[..., 0] > 0).astype(np.uint8)
    for refine in (None, PAMR(iterations=1)):
        ((name, mask),) = predict([("a", half_bright())], Brightness().eval(), scales=[1.0, 0.5], refine=refine)
        assert name == "a" and mask.dtype == np.uint8 and np.array_equal(mask, expected)
    image = torch.from_numpy(half_bright()).permute(2, 0, 1)
    ((_, mask),) = predict([("a", image)], Brightness().eval(), scales=[1.0], window=SlidingWindow(8))
    assert torch.equal(mask, torch.from_numpy(expected))


@pytest.mark.parametrize(
    ("image", "network", "said"),
    [
        (half_bright(), Brightness().train(), "network: in training mode"),
        (
            half_bright()[..., 0],
            Brightness().eval(),
            r"a: an image of shape \(12, 16\), want \(3, H, W\)",
        ),
        (half_bright().astype(float), Brightness().eval(), "a: want a uint8 RGB image"),
        ("picture", Brightness().eval(), r"a: an image of shape \(\)"),
    ],
)
def test_what_cannot_be_predict(image, network, said):
    with pytest.raises(ValueError, match=said):
        list(predict([("a", image)], network))
