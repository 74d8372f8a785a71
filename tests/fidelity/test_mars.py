"""MARS beside the paper's equations: features to debiased labels, logits to loss and gradient, in float64."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mars_pl.debias.centroid_module import CentroidModule
from mars_pl.debias.centroids import join
from mars_pl.debias.debias_module import DebiasModule
from mars_pl.debias.debiasing import label_image
from mars_pl.debias.selection import select_centroids
from mars_pl.segment.complement import Complement
from mars_pl.segment.segmentation_module import SegmentationModule
from tests.fidelity.published import mars

CLASSES, DIM, GRID, SIZE, ALPHA = 4, 6, (4, 5), (15, 22), 0.4


class Given(nn.Module):
    """A feature extractor or a network that gives what it was given for each image, by its first pixel."""

    def __init__(self, maps):
        super().__init__()
        self.maps = nn.Parameter(maps.clone())

    def forward(self, image):
        return self.maps[image[:, 0, 0, 0].long()]


def scene(place, generator):
    """An image with one or two classes: its object, a companion that the label takes for it, and background."""
    directions = torch.eye(DIM)
    classes = [1 + place % 3] + [3] * (place % 4 == 1)
    label = torch.zeros(SIZE, dtype=torch.long)
    features = directions[5].view(-1, 1, 1).repeat(1, *GRID)  # background
    features[:, 3, :2] = directions[4].view(-1, 1)  # the companion stands in the background of every image
    label[:8, :9] = classes[0]
    features[:, :2, :1], features[:, :2, 1:2] = directions[classes[0] - 1].view(-1, 1, 1), directions[4].view(-1, 1, 1)
    if len(classes) > 1:
        label[:7, 18:] = classes[1]
        features[:, :2, 4:] = directions[classes[1] - 1].view(-1, 1, 1)
    label[14, 21], label[10, 10] = mars.IGNORED, 2  # class 2 need not be in the image
    lengths = 1 + torch.rand(GRID, generator=generator)
    features = (features + 0.15 * torch.randn(DIM, *GRID, generator=generator)) * lengths
    return features, label, classes


@pytest.fixture
def scenes():
    generator = torch.Generator().manual_seed(0)
    return [scene(place, generator) for place in range(7)]


def batch(place, label, classes):
    image = torch.full((1, 3, *SIZE), place, dtype=torch.uint8)
    present = torch.zeros(1, CLASSES - 1)
    present[0, [index - 1 for index in classes]] = 1
    return {"id": [f"im{place}"], "image": image, "label": label[None], "classes": present}


def test_features_and_labels_to_debiased_labels(scenes, tmp_path):
    """Rows of Eq. 1–5: centroids to 1e-6, maps to 2e-6, labels equal."""
    extractor = Given(torch.stack([features for features, _, _ in scenes])).requires_grad_(False)
    batches = [batch(place, label, classes) for place, (_, label, classes) in enumerate(scenes)]
    module = CentroidModule(extractor, CLASSES)
    candidates = join([module.predict_step(one, 0).candidates for one in batches])
    found = select_centroids(candidates, CLASSES, ALPHA)
    save_file({"centroids": found.centroids}, tmp_path / "centroids.safetensors")
    debias = DebiasModule(extractor, str(tmp_path / "centroids.safetensors"), CLASSES)

    every = [mars.image_centroids(features.double(), label, classes) for features, label, classes in scenes]
    wanted = mars.debiased_centroids(every, ALPHA)
    assert sorted(wanted) == [1, 2, 3]
    assert len(candidates) == sum(len(vectors) for image in every for vectors in image.values())
    for index, vector in wanted.items():
        assert (found.centroids[index].double() - vector).abs().max() < 1e-6
    removed = kept = 0
    for one, (features, label, classes) in zip(batches, scenes, strict=True):
        similarity = mars.debiased_map(features.double(), [wanted[index] for index in classes], SIZE)
        map_found = debias.predict_step(one, 0).similarity
        assert (map_found.double() - similarity).abs().max() < 2e-6
        label_found = label_image(label, map_found, one["image"][0])
        assert torch.equal(label_found, mars.debiased_label(label, similarity))
        removed += int((label_found[:8, 4:9] == mars.BIASED).sum())
        kept += int((label_found[:8, :4] == classes[0]).sum())
    assert removed > 0.5 * 7 * 40 and kept > 0.8 * 7 * 32, "companions go, objects stay"


def test_logits_to_weighted_loss_and_gradient():
    """Rows of Eq. 6 and 7: Yᶜᵒ equal, W to 1e-6, loss to 1e-6 and gradient to 1e-5 of the largest."""
    generator = torch.Generator().manual_seed(1)
    logits = 2 * torch.randn(2, 3, CLASSES, *GRID, generator=generator)
    module = SegmentationModule(lambda _: Given(logits[0]), CLASSES, complement=Complement())
    module.teacher = Given(logits[1]).requires_grad_(False)
    module.log = module.log_dict = lambda *_, **__: None
    label = torch.randint(0, CLASSES, (3, *SIZE), generator=generator)
    label[:2, 4:12, 3:15], label[:, :2] = mars.BIASED, mars.IGNORED
    classes = [[1, 3], [2], [1]]
    batches = [batch(place, label[place], classes[place]) for place in range(3)]
    whole = {key: torch.cat([one[key] for one in batches]) for key in ("image", "label", "classes")}
    whole["id"] = [one["id"][0] for one in batches]
    loss = module.training_step(whole, 0)
    loss.backward()
    filled_found, weight_found = module._target(whole)

    grown = [mars.grow(teacher.double(), SIZE) for teacher in logits[1]]
    pairs = [mars.complemented(*one) for one in zip(grown, label, classes, strict=True)]
    filled, weight = (torch.stack(parts) for parts in zip(*pairs, strict=True))
    student = logits[0].double().requires_grad_()
    wanted = mars.weighted_cross_entropy(torch.stack([mars.grow(one, SIZE) for one in student]), filled, weight)
    wanted.backward()
    assert torch.equal(filled_found, filled) and (filled[label == mars.BIASED] == 0).any()
    assert (weight_found.double() - weight).abs().max() < 1e-6
    assert abs(loss.item() - wanted.item()) < 1e-6
    gradient = module.network.maps.grad.double()
    assert (gradient - student.grad).abs().max() < 1e-5 * student.grad.abs().max()
