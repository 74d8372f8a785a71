"""Segmenters from image to label and from batch to weights, beside their published formulas in float64."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from mars_pl.networks.caffe_resnet_names import from_converted
from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.networks.nearest import resize_nearest
from mars_pl.segment.deeplab_dhr import DHRDeepLabV1, DHRDeepLabV2
from mars_pl.segment.deeplabv1 import DeepLabV1
from mars_pl.segment.deeplabv2 import DeepLabV2
from mars_pl.segment.inference import multi_scale_probabilities
from mars_pl.segment.segmentation_module import SegmentationModule
from mars_pl.training.optimisation import poly
from tests.fidelity.published.deeplab import (
    large_field_of_view,
    multi_scale,
    poly_rates,
    sgd,
    summed_cross_entropy,
)
from tests.networks.published.caffe_resnet import converted

CLASSES, SIDE = 5, 57
GENERATOR = torch.Generator().manual_seed(1)
IMAGES = torch.randint(0, 256, (2, 3, SIDE, SIDE), dtype=torch.uint8, generator=GENERATOR)


def caffe_state():
    """ResNet-50 of the published names with weights that keep their maps' size, and four classifiers."""
    generator, state = torch.Generator().manual_seed(0), {}
    for key, tensor in converted().items():
        fan = tensor[0].numel()
        if key.endswith("conv.weight"):
            tensor = (tensor - 0.5) * (12 / fan) ** 0.5
        elif key.endswith("running_mean"):
            tensor = 0.2 * (tensor - 0.5)
        elif key.endswith("bias"):
            tensor = 0.1 * (tensor - 0.5)
        else:  # grey levels are not divided, so the first batch norm has to
            tensor = (0.5 + tensor / 2) * (5000 if key == "layer1.conv1.bn.running_var" else 1)
        state[key] = tensor.double()
    for place in range(4):
        weight = torch.randn(CLASSES, 2048, 3, 3, generator=generator).double()
        state |= {f"aspp.c{place}.weight": 0.002 * weight, f"aspp.c{place}.bias": weight[:, 0, 0, 0].clone()}
    return state


@pytest.fixture(scope="module")
def published():
    return caffe_state()


@pytest.fixture
def network(published):
    """Ours with the same weights, imported as `mars weights import` does."""
    made = DeepLabV2(CLASSES, "resnet50", layout="caffe").double()
    trunk = from_converted({key: value for key, value in published.items() if not key.startswith("aspp.")})
    made.encoder.features.load_state_dict({key: trunk[key] for key in trunk}, strict=False)
    for place, classifier in enumerate(made.classifiers):
        classifier.weight.data = published[f"aspp.c{place}.weight"].clone()
        classifier.bias.data = published[f"aspp.c{place}.bias"].clone()
    return made


def test_deeplabv2_from_image_to_label(network, published):
    network.eval()
    with torch.no_grad():
        *every, fused = multi_scale(IMAGES, published, "resnet50")
        ours = network.train()(IMAGES)
        order = [every[0], every[2], every[1], fused]  # ours: .75 before .5
        for expected, found in zip(order, ours, strict=True):
            assert expected.shape == found.shape and expected.std() > 0.1
            assert (expected - found).abs().max() < 1e-5  # of logits around 1; the mean is a float32
        wanted = F.interpolate(fused, (SIDE, SIDE), mode="bilinear", align_corners=False).softmax(dim=1)
        found = multi_scale_probabilities(network.eval(), IMAGES, (1.0,), flip=False, average="logits")
    assert (wanted - found).abs().max() < 1e-5
    assert torch.equal(wanted.argmax(1), found.argmax(1))


def test_scales_by_their_factor_as_torch_has_them_since_are_a_little_off(network, published):
    """41 cells of 321 pixels: 240 / 321 is not quite .75. Nobody knows which torch made the published figures."""
    with torch.no_grad():
        by_size, by_factor = (multi_scale(IMAGES, published, "resnet50", rule)[-1] for rule in (True, False))
        shapes = [logits.shape for logits in (by_size, by_factor)]
    assert shapes[0] == shapes[1]
    assert 1e-3 < (by_size - by_factor).abs().mean() / by_size.std() < 0.3


def test_deeplabv2_from_batch_to_weights(network, published):
    """Two steps of SGD on crops: losses at each scale's size, three rates, no decay of the new biases."""
    image = IMAGES[:1]
    label = torch.randint(0, CLASSES, (1, SIDE, SIDE), generator=torch.Generator().manual_seed(2))
    label[:, :20] = 255
    module = SegmentationModule(
        lambda _: network, CLASSES, loss_size="logits", lr=2.5e-4, lr_every=10, weight_decay=5e-4, momentum=0.9
    )
    module.log = module.log_dict = lambda *values, **options: None
    module._trainer = SimpleNamespace(estimated_stepping_batches=60, barebones=False)
    configured = module.configure_optimizers()
    optimizer, schedule = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    weights = {key: value.clone().requires_grad_(learns(key)) for key, value in published.items()}
    speeds: dict = {}
    rates = poly_rates([2.5e-4, 2.5e-3, 5e-3], 10, 60)
    for step in range(2):
        loss = module.training_step({"id": ["a"], "image": image, "label": label}, step)
        optimizer.zero_grad()
        loss.backward()
        expected = summed_cross_entropy(multi_scale(image, weights, "resnet50"), label)
        learning = [key for key in weights if learns(key)]
        gradients = torch.autograd.grad(expected, [weights[key] for key in learning])
        assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
        gradient = dict(zip(learning, gradients, strict=True))["aspp.c1.weight"]
        ours = network.classifiers[1].weight.grad
        assert (gradient - ours).norm() < 1e-5 * gradient.norm()
        for key, value in zip(learning, gradients, strict=True):
            kind = 0 if not key.startswith("aspp.") else 2 if key.endswith("bias") else 1
            moved, speeds[key] = sgd(
                weights[key], value, speeds.get(key), rates[step][kind], 0.0 if kind == 2 else 5e-4
            )
            weights[key] = moved.detach().requires_grad_()
        optimizer.step()
        schedule.step()
    trunk = from_converted({key: value.detach() for key, value in weights.items() if not key.startswith("aspp.")})
    for key, value in network.encoder.features.state_dict().items():
        if key in trunk:
            assert (value - trunk[key]).abs().max() < 1e-6, key
    for place, classifier in enumerate(network.classifiers):
        assert (classifier.weight - weights[f"aspp.c{place}.weight"]).abs().max() < 1e-6
        assert (classifier.bias - weights[f"aspp.c{place}.bias"]).abs().max() < 1e-6


def learns(key):
    return key.endswith("conv.weight") or key.startswith("aspp.")


@pytest.mark.parametrize(("every", "total"), [(10, 60), (1, 60), (10, 57)])
def test_poly_schedules(every, total):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([{"params": [parameter], "lr": 2.5e-4}])
    schedule, found = poly(optimizer, total, every=every), []
    for _ in range(total):
        found.append([optimizer.param_groups[0]["lr"]])
        optimizer.step()
        schedule.step()
    expected = poly_rates([2.5e-4], every, total)
    assert max(abs(a - b) for (a,), (b,) in zip(found, expected, strict=True)) < 1e-15


def test_deeplabv1_divides_by_one_step_more():
    """YudeWang's rate is that of a fit of 20,001 steps: the last step is 1.9 times as long, all agree to 2e-4."""
    total = 20000
    theirs = [(1 - step / (total + 1)) ** 0.9 for step in range(total)]
    ours = [rate[0] for rate in poly_rates([1.0], 1, total)]
    assert max(abs(a - b) for a, b in zip(theirs, ours, strict=True)) < 2e-4
    assert theirs[-1] / ours[-1] == pytest.approx(1.87, abs=0.01)


def head_state(head, places):
    """A head's tensors by the published names."""
    names = ("conv1", "bn1", "conv2", "bn2", "classifier")
    parts = {name: head.get_submodule(place) for name, place in zip(names, places, strict=True)}
    return {
        f"{name}.{key}": value.detach().clone()
        for name, part in parts.items()
        for key, value in part.state_dict().items()
    }


def randomised(network):
    torch.manual_seed(0)
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.weight, 0.5, 1.5)
            torch.nn.init.normal_(part.bias, std=0.2)
            torch.nn.init.normal_(part.running_mean, std=0.2)
            torch.nn.init.uniform_(part.running_var, 0.5, 1.5)
    return network.double()


def backbone():
    return TimmIntermediateFeatures("test_resnet", frozen_batch_norm=False)


def test_deeplabv1_from_features_to_label():
    network = randomised(DeepLabV1(CLASSES, backbone(), channels=16)).eval()
    state = head_state(network.head, ("0.0", "0.1", "1.0", "1.1", "3"))
    features = network.backbone(network.normalise(IMAGES))[2]
    expected = large_field_of_view(features, state, relu=True, enlarge=(SIDE, SIDE))
    found = network(IMAGES)
    assert (expected - found).abs().max() < 1e-5  # ours enlarges in float32
    assert torch.equal(expected.softmax(1).argmax(1), found.softmax(1).argmax(1))


def test_dhr_deeplabv1_from_features_to_logits():
    network = randomised(DHRDeepLabV1(CLASSES, backbone(), channels=16)).eval()
    state = head_state(network.head, ("0", "1", "2", "3", "5"))
    features = network.backbone(network.normalise(IMAGES))[2]
    expected = large_field_of_view(features, state, relu=False, enlarge=None)
    assert (expected - network(IMAGES)).abs().max() < 1e-12


def test_dhr_deeplabv2_from_features_to_logits_and_its_step():
    """All at two rates with decay, batch norms too, by DHR's recipe."""
    network = randomised(DHRDeepLabV2(CLASSES, "test_resnet")).eval()
    _, last = network.encoder(network.normalise(IMAGES))
    expected = torch.zeros((), dtype=torch.float64)
    for rate, classifier in zip((6, 12, 18, 24), network.classifiers, strict=True):
        expected = expected + F.conv2d(last, classifier.weight, classifier.bias, 1, rate, rate)
    found = network(IMAGES)
    assert (expected - found).abs().max() < 1e-12
    before = {key: value.clone() for key, value in network.named_parameters()}
    optimizer = torch.optim.SGD(network.parameter_groups(1e-3, 10), lr=1e-3, momentum=0.9, weight_decay=4e-5)
    found.square().mean().backward()
    optimizer.step()
    for key, value in network.named_parameters():
        wanted, _ = sgd(before[key], value.grad, None, 1e-3 if key.startswith("encoder.") else 1e-2, 4e-5)
        assert (value - wanted).abs().max() < 1e-12, key


def test_dhr_takes_the_loss_at_a_cells_first_pixel_and_ours_at_its_centre():
    """The deviation of the loss at logits size: DHR's nearest is torch's, which rounds down; 2 pixels of 4."""
    label = torch.arange(64).view(1, 1, 1, 64).expand(1, 1, 64, 64).double()
    theirs = F.interpolate(label, (16, 16), mode="nearest")[0, 0, 0]
    ours = resize_nearest(label[0], torch.Size((16, 16)))[0, 0]
    assert torch.equal(ours - theirs, torch.full((16,), 2.0).double())
