import pytest
import torch
from torch import nn

from mars_pl.segment.adapted_network import AdaptedNetwork
from mars_pl.segment.output_check import check_output

PATH = "tests.segment.test_adapted_network.Halving"


class Halving(nn.Module):
    """A network as other packages have them: float images, sides that halve, another word for the classes."""

    def __init__(self, classes, width=2):
        super().__init__()
        self.layer = nn.Conv2d(3, classes, 1)
        self.width, self.seen = width, []

    def forward(self, image):
        assert image.dtype == torch.float32 and image.shape[-1] % 2 == image.shape[-2] % 2 == 0
        self.seen.append(tuple(image.shape[-2:]))
        return self.layer(image)


class Dictionary(Halving):
    def forward(self, image):
        return {"out": super().forward(image), "aux": image}


def test_it_is_built_with_the_datas_classes_and_sees_what_it_asks_for():
    network = AdaptedNetwork(5, PATH, "classes", {"width": 7}, multiple=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    assert network.network.width == 7
    logits = network(torch.full((2, 3, 33, 90), 255, dtype=torch.uint8))
    assert network.network.seen == [(32, 96)] and logits.shape == (2, 5, 32, 96)
    white = network.network.layer(torch.ones(2, 3, 32, 96))
    assert torch.allclose(logits, white)
    check_output(network, 5)


def test_an_image_that_fits_is_not_resized_and_a_small_one_grows():
    network = AdaptedNetwork(5, PATH, "classes", multiple=2)
    network(torch.zeros(1, 3, 34, 2, dtype=torch.uint8))
    network(torch.zeros(1, 3, 1, 2, dtype=torch.uint8))
    assert network.network.seen == [(34, 2), (2, 2)]


def test_logits_of_a_dict_by_their_key():
    path = PATH.replace("Halving", "Dictionary")
    check_output(AdaptedNetwork(5, path, "classes", output="out"), 5)
    with pytest.raises(ValueError, match=r"AdaptedNetwork returns a dict, no logits \(B, 5, h, w\)"):
        check_output(AdaptedNetwork(5, path, "classes"), 5)


@pytest.mark.parametrize(
    ("path", "argument", "says"),
    [
        ("no_such_package.Unet", "classes", r"no_such_package\.Unet: .*; pip install no-such-package, or mend"),
        ("torch.nn.NoSuchLayer", "classes", r"torch\.nn\.NoSuchLayer: .*mend the network's path"),
        (PATH, "num_classes", r"Halving: .*num_classes.*; mend the network's options or classes_argument"),
    ],
)
def test_what_cannot_be_built_says_what_to_mend(path, argument, says):
    with pytest.raises(ValueError, match=says) as caught:
        AdaptedNetwork(5, path, argument)
    assert "\n" not in str(caught.value)


def test_a_network_for_floats_is_told_of_the_adapter():
    network = nn.Conv2d(3, 5, 1)
    with pytest.raises(
        ValueError, match=r"network Conv2d does not take uint8 images .*adapted_network\.AdaptedNetwork"
    ):
        check_output(network, 5)


@pytest.mark.parametrize("classes", [2, 5])
def test_segmentation_models_pytorch(classes):
    pytest.importorskip("segmentation_models_pytorch")
    options = {"encoder_name": "resnet18", "encoder_weights": None}
    network = AdaptedNetwork(classes, "segmentation_models_pytorch.Unet", "classes", options, multiple=32).eval()
    check_output(network, classes)
    assert network(torch.zeros(1, 3, 40, 70, dtype=torch.uint8)).shape == (1, classes, 32, 64)
