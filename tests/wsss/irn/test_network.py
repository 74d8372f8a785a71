import pytest
import torch
from torch import nn

from mars_pl.training.weights import load_weights, save_weights
from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.irn.network import IRNetwork

IMAGES = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
SCENES = {"backbone": "resnet10t", "backbone_options": {"channels": [32, 64, 128, 128]}}


def make(**options) -> IRNetwork:
    torch.manual_seed(0)
    return IRNetwork(**{"backbone": "test_resnet", "num_classes": 4, **options})


def test_both_fields_lie_on_a_grid_of_stride_four():
    edge, displacement = make()(IMAGES)
    assert edge.shape == (2, 16, 24) and displacement.shape == (2, 2, 16, 24)


@pytest.mark.parametrize("size", [(61, 83), (33, 47), (64, 100)])
@pytest.mark.parametrize("output_stride", [8, 16])
def test_every_size_of_image_gives_its_cells(size, output_stride):
    network = make(output_stride=output_stride).eval()
    image = torch.zeros(1, 3, *size, dtype=torch.uint8)
    cells = (-(-size[0] // 4), -(-size[1] // 4))
    edge, displacement = network(image)
    assert edge.shape == (1, *cells) and displacement.shape == (1, 2, *cells)
    assert torch.equal(network.edge(image), edge)


@pytest.mark.parametrize(("size", "crop"), [((64, 96), 160), ((50, 70), 96), ((61, 130), 96), ((40, 44), 61)])
def test_edges_are_drawn_on_the_crop_that_zeros_fill_after_normalisation(size, crop):
    network, (height, width) = make(displacement=False).eval(), size
    image = IMAGES[:, :, : size[0], :].repeat(1, 1, 1, 2)[..., : size[1]]
    filled = torch.zeros(2, 3, max(height, crop), max(width, crop))
    filled[:, :, :height, :width] = network.normalise(image)
    expected = network._edge(network._maps(filled))[:, : -(-height // 4), : -(-width // 4)]
    found = network.edge(image, crop)
    assert torch.allclose(found, expected, atol=1e-5), "but for how the numbers lie in memory"
    assert found.shape == network.edge(image).shape
    assert not torch.allclose(found, network.edge(image), atol=1e-3), "group norms see the padding"


def test_images_at_least_as_large_as_the_crop_stay_as_they_are():
    network = make(displacement=False).eval()
    assert torch.equal(network.edge(IMAGES, 64), network.edge(IMAGES))


def test_the_five_maps_are_those_of_stem_and_stages():
    network = make(**SCENES)
    maps = network._maps(network.normalise(IMAGES))
    assert [tuple(features.shape[1:]) for features in maps] == [
        (64, 16, 24),
        (32, 16, 24),
        (64, 8, 12),
        (128, 4, 6),
        (128, 4, 6),
    ]
    with torch.no_grad():
        backbone = network.backbone
        stem = backbone.maxpool(backbone.act1(backbone.bn1(backbone.conv1(network.normalise(IMAGES)))))
        assert torch.equal(maps[0], stem)
        assert torch.equal(maps[1], backbone.layer1(stem))


def test_no_gradient_reaches_the_backbone_and_its_statistics_stand_still():
    network = make()  # as Lightning takes it: it does not call train()
    before = {key: value.clone() for key, value in network.backbone.state_dict().items()}
    edge, displacement = network.train()(IMAGES)
    (edge.sum() + displacement.sum()).backward()
    assert all(not parameter.requires_grad for parameter in network.backbone.parameters())
    assert all(torch.equal(before[key], value) for key, value in network.backbone.state_dict().items())
    assert not any(module.training for module in network.backbone.modules())
    learning = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert learning == {name for name, _ in network.named_parameters() if name.startswith("fc_")}


def test_the_branches_share_nothing():
    network = make()
    edges, fields = network.edge_parameters(), network.displacement_parameters()
    assert len(edges) == 5 * 3 + 2 and len(fields) == 7 * 3 + 1
    assert not {id(one) for one in edges} & {id(one) for one in fields}
    network.edge(IMAGES).sum().backward()
    assert all(parameter.grad is None for parameter in fields)


def test_without_the_displacement_branch_the_edges_are_the_same():
    whole, half = make(), make(displacement=False)
    assert not half.displacement_parameters()
    half.load_state_dict({key: value for key, value in whole.state_dict().items() if not key.startswith("fc_dp")})
    edge, displacement = half(IMAGES)
    assert displacement is None and torch.equal(edge, whole(IMAGES)[0])


def test_the_backbone_of_a_trained_classifier_is_taken(tmp_path):
    torch.manual_seed(5)
    classifier = CAMClassifier(4, "test_resnet")
    save_weights(classifier, tmp_path / "cam.safetensors")
    network = make(classifier_weights=str(tmp_path / "cam.safetensors"))
    for key, value in classifier.backbone.state_dict().items():
        assert torch.equal(network.backbone.state_dict()[key], value)
    with pytest.raises(ValueError, match="CAMClassifier wants"):
        make(num_classes=7, classifier_weights=str(tmp_path / "cam.safetensors"))


def test_what_a_fit_leaves_is_read_strictly(tmp_path):
    one = make()
    save_weights(one, tmp_path / "irn.safetensors")
    torch.manual_seed(9)
    other = IRNetwork(4, "test_resnet")
    load_weights(other, tmp_path / "irn.safetensors")
    assert torch.equal(other.edge(IMAGES), one.edge(IMAGES))
    with pytest.raises(ValueError, match="too many"):
        load_weights(make(displacement=False), tmp_path / "irn.safetensors")


def test_dilation_is_taken_out_of_the_last_stage():
    def dilations(network):
        return {module.dilation for module in network.backbone.modules() if isinstance(module, nn.Conv2d)}

    options = {"backbone": "resnet26", "displacement": False}
    plain = make(dilated=False, **options)
    assert dilations(make(**options)) == {(1, 1), (2, 2)} and dilations(plain) == {(1, 1)}
    assert plain.edge(IMAGES).shape == (2, 16, 24)


def test_a_backbone_without_a_stem_map_is_refused():
    with pytest.raises(ValueError, match="convnext_atto: has maps at strides"):
        make(backbone="convnext_atto")
