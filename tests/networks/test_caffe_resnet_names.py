import pytest
import timm
import torch

from mars_pl.networks.caffe_resnet_names import depth, from_converted, from_layers
from tests.networks.published.caffe_resnet import caffe_layers, converted, of_shapes


@pytest.mark.parametrize(("name", "numbered"), [("resnet50", False), ("resnet101", True)])
def test_every_tensor_of_a_caffemodel_finds_its_place(name, numbered):
    layers, marks = caffe_layers(name, numbered)
    found = from_layers(layers)
    assert depth(found) == name and found.keys() == of_shapes(name).keys()
    for convolution, mark in marks.items():
        norm = convolution.replace("conv", "bn") if "conv" in convolution else convolution[:-1] + "1"
        assert (found[f"{convolution}.weight"] == mark).all()
        assert (found[f"{norm}.running_mean"] == mark).all() and (found[f"{norm}.running_var"] == 2 * mark).all()
        assert (found[f"{norm}.weight"] == mark + 0.5).all() and (found[f"{norm}.bias"] == mark + 0.25).all()
    assert (found["fc.weight"] == 7).all() and (found["fc.bias"] == 8).all()
    timm.create_model(name).load_state_dict(found, strict=False)


@pytest.mark.parametrize("prefix", ["", "base.", "module.base."])
def test_every_tensor_of_a_converted_file_finds_its_place(prefix):
    state = converted(prefix)
    found = from_converted(state)
    assert found.keys() == {key for key in of_shapes("resnet50") if not key.startswith("fc.")}
    assert torch.equal(found["layer3.5.conv2.weight"], state[f"{prefix}layer4.block6.conv3x3.conv.weight"])
    assert torch.equal(found["layer1.0.downsample.1.bias"], state[f"{prefix}layer2.block1.shortcut.bn.bias"])
    assert torch.equal(found["bn1.running_var"], state[f"{prefix}layer1.conv1.bn.running_var"])
    # the network is fed RGB, Caffe's BGR
    image = torch.rand(1, 3, 9, 9)
    of_bgr = torch.conv2d(image.flip(1), state[f"{prefix}layer1.conv1.conv.weight"])
    assert torch.allclose(torch.conv2d(image, found["conv1.weight"]), of_bgr, atol=1e-4)


@pytest.mark.parametrize(
    "more",
    [{"fc.weight": torch.zeros(91, 2048, 3, 3), "fc.bias": torch.zeros(91)}, {"aspp.c0.weight": torch.zeros(21, 8)}],
)
def test_weights_that_learnt_from_masks_are_refused(more):
    with pytest.raises(ValueError, match=r"learnt from masks .*ImageNet"):
        from_converted(converted(**more))


def test_what_is_missing_and_what_is_no_resnet_is_named():
    state = converted()
    del state["layer3.block2.reduce.bn.bias"]
    with pytest.raises(ValueError, match=r"no resnet50 of Caffe's: layer2\.1\.bn1\.bias is missing"):
        from_converted(state)
    with pytest.raises(ValueError, match=r"no ResNet-50, -101 or -152 of Caffe's \(0 blocks"):
        from_layers({"conv1": [torch.zeros(1)]})
