"""RS+EPM: image to scores, image to self-correlation, seeds, loss and gradient, in float64."""

import pytest
import torch

from mars_pl.wsss.rsepm.network import SingleStageNetwork
from mars_pl.wsss.rsepm.seed_source import SeedSource
from mars_pl.wsss.rsepm.self_correlation import SelfCorrelationGuidance
from mars_pl.wsss.rsepm.single_stage_module import SingleStageModule
from tests.fidelity.published import rsepm as published
from tests.fidelity.published.seam import MEAN, STD, normalised
from tests.fidelity.test_seam import picture

SCALES = (1.0, 0.5, 1.5, 2.0)


def make(num_classes):
    torch.manual_seed(0)
    return SingleStageNetwork(num_classes, "test_resnet", channels=8, low_level_channels=4, mean=MEAN, std=STD)


def module(seeds=None, **options):
    """The real module in float64; the teacher's weights differ from the student's, and batch norms stand still."""
    made = SingleStageModule(make, 4, seeds or SeedSource(SelfCorrelationGuidance()), **options).double().eval()
    with torch.no_grad():
        for parameter in made.teacher.parameters():
            parameter += 0.05 * parameter.std() * torch.randn_like(parameter) if parameter.numel() > 1 else 0
        # no class wins everywhere: none responds to the mean feature
        mean = published.outputs(made.teacher, normalised(picture()))[0].mean((0, 2, 3))
        weight = made.teacher.classifier.weight[..., 0, 0]
        weight -= torch.outer(weight @ mean / mean.square().sum(), mean)
        made.teacher.decoder[-1].weight *= 20
    return made


def image_of(*pictures):
    return torch.stack([torch.from_numpy(each).permute(2, 0, 1) for each in pictures])


def test_image_to_every_output_of_the_network():
    net = module().teacher
    shown = picture()
    with torch.no_grad():
        ours = net(image_of(shown))
        theirs = published.outputs(net, normalised(shown))
    found = (ours.features, ours.class_maps, ours.segmentation_logits)
    for one, other in zip(found, theirs, strict=True):
        assert (one - other).abs().max() < 1e-6 * other.abs().max()


def test_image_to_scores_at_several_scales():
    made = module(scales=SCALES)
    shown = picture(45, 61)
    batch = {"id": ["a"], "image": image_of(shown), "classes": torch.tensor([[1.0, 0.0, 1.0]])}
    with torch.no_grad():
        out = made.predict_step(batch, 0)
        theirs = published.scores_of(made.teacher, normalised(shown)[0], [0, 2], SCALES)
    assert out["class_ids"].tolist() == [1, 3]
    assert (out["scores"] - theirs).abs().max() < 1e-5


def test_image_to_self_correlation():
    net = module().teacher
    with torch.no_grad():
        last, class_maps, _ = published.outputs(net, normalised(picture(96, 128)))
        cam = class_maps.clamp(min=0) / class_maps.clamp(min=0).amax((2, 3), keepdim=True)
        ours = SelfCorrelationGuidance()(net(image_of(picture(96, 128))).features, cam)
        theirs = published.guided(cam[0], last[0])
    assert (ours[0] - theirs).abs().max() < 1e-4 and theirs.amax((1, 2)).min() > 0.9


@pytest.mark.parametrize("recursive", [False, True])
def test_batch_to_seeds_loss_and_gradient(monkeypatch, recursive):
    """Seeds of the teacher's class maps, then of its decoder; the third phase is ours alone."""
    seen = []
    source = SeedSource(SelfCorrelationGuidance())

    def seeds(*given):
        seen.append(source(*given))
        return seen[-1]

    made = module(seeds=seeds, recursive_from=0 if recursive else 5, mixed_from=15)
    made._trainer = type("Trainer", (), {"max_epochs": 20, "current_epoch": 0, "barebones": False})()
    monkeypatch.setattr(made, "log_training", lambda *args, **options: None)
    pictures = [picture(64, 64, seed) for seed in (0, 3)]
    classes = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]], dtype=torch.float64)
    valid = torch.ones(2, 64, 64, dtype=torch.bool)
    valid[1, 56:] = False
    batch = {"id": ["a", "b"], "image": image_of(*pictures), "classes": classes, "valid": valid}
    ours = made.training_step(batch, 0)
    ours.backward()
    found = {name: value.grad.clone() for name, value in made.network.named_parameters()}
    made.network.zero_grad()
    x = torch.cat([normalised(each) for each in pictures])
    theirs, label = published.training_loss(made.network, made.teacher, x, classes, valid, recursive)
    theirs.backward()
    assert torch.equal(seen[0], label) and 255 in label and len(label.unique()) > 2
    assert abs(ours - theirs) < 1e-6
    expected = {name: value.grad for name, value in made.network.named_parameters()}
    largest = max(value.abs().max() for value in expected.values())
    assert largest > 1e-3 and max((found[name] - expected[name]).abs().max() for name in expected) < 1e-5 * largest
