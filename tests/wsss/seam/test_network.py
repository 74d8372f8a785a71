import torch
import torch.nn.functional as F

from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.wsss.seam.maps import seeds
from mars_pl.wsss.seam.network import SEAM

IMAGES = torch.randint(0, 256, (2, 3, 50, 66), dtype=torch.uint8)


def make() -> SEAM:
    torch.manual_seed(0)
    return SEAM(4, TimmIntermediateFeatures("test_resnet"))


def test_maps_have_the_size_of_the_image_and_the_corrected_ones_lie_in_0_to_1():
    maps = make().eval()(IMAGES)
    assert maps.activation.shape == maps.corrected.shape == (2, 4, 50, 66)
    assert maps.activation.min() < 0, "the logits come from the unrectified map"
    assert maps.corrected.min() >= 0 and maps.corrected.max() <= 1


def test_both_maps_by_their_definition():
    network = make().eval()
    maps = network(IMAGES)
    image = network.normalise(IMAGES)
    intermediate = network.backbone(image)
    coarse = network.classifier(intermediate[2])
    corrected = network.pixel_correlation(seeds(coarse), image, intermediate)
    for ours, cells in zip(maps, (coarse, corrected), strict=True):
        assert torch.equal(ours, F.interpolate(cells, (50, 66), mode="bilinear", align_corners=True))
    assert torch.equal(network.activation(IMAGES, torch.tensor([2, 0])), maps.corrected[:, [3, 1]])


def test_raw_activations_teach_the_backbone_and_corrected_ones_the_correlation_alone():
    network = make()
    network(IMAGES).corrected.square().sum().backward()
    taught = {name.split(".")[0] for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert taught == {"pixel_correlation"}
    network.zero_grad()
    network(IMAGES).activation.square().sum().backward()
    taught = {name.split(".")[0] for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert taught == {"backbone", "classifier"}


def test_float_images_are_the_same_images():
    network = make().eval()
    assert torch.equal(network(IMAGES).activation, network(IMAGES.float()).activation)
