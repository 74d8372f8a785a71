"""IRN: image and scores to the label, a batch to its loss and gradients; with AdvCAM's power of the seeds."""

from functools import partial

import pytest
import torch

from mars_pl.wsss.irn.irn_module import IRNModule
from mars_pl.wsss.irn.network import IRNetwork
from mars_pl.wsss.irn.published import published_weights
from mars_pl.wsss.pseudo_label import pseudo_label
from tests.fidelity.published import cam, irn
from tests.fidelity.published.resnet import in_double
from tests.wsss.irn_files import irn_file

WIDTHS, CLASSES, CROP = (8, 12, 16, 24), (3, 11), 96
FILE = irn_file(blocks=(2, 2, 2, 2), widths=WIDTHS) | {"fc_edge6.bias": torch.tensor([-3.0])}
"""Few edges, so that scores walk."""


def module(**options):
    """Ours, on the published file."""
    maker = partial(IRNetwork, backbone="resnet26", dilated=False, backbone_options={"channels": WIDTHS})
    made = IRNModule(maker, 21, **{"crop_size": CROP, **options})
    made.network.load_state_dict(published_weights(FILE))
    return made.double().eval()


@pytest.fixture
def draw():
    return torch.Generator().manual_seed(0)


def random_image(draw, height, width):
    return torch.randint(0, 256, (3, height, width), generator=draw).to(torch.uint8)


def walked(image, scores, **options):
    batch = {"id": ["a"], "image": image[None], "scores": scores[None], "class_ids": torch.tensor([CLASSES]) + 1}
    with torch.no_grad():
        return module(**options).predict_step(batch, 0)["scores"]


def labelled(image, scores):
    return pseudo_label(image, scores, torch.tensor(CLASSES) + 1, 0.25, None)


@pytest.mark.parametrize(("size", "power"), [((48, 64), 1.0), ((50, 61), 1.0), ((45, 58), 1.5)])
def test_an_image_and_its_scores_give_the_published_label(size, power, draw):
    image = random_image(draw, *size)
    grid = torch.rand(2, *(cam.cells(side, 4) for side in size), generator=draw, dtype=torch.float64)
    grid = grid / (grid.amax((1, 2), keepdim=True) + 1e-5)
    edge = irn.boundary(in_double(FILE), image, CROP)
    expected = irn.walk(grid**power, edge, size)
    pixels = grid.repeat_interleave(4, 1).repeat_interleave(4, 2)[:, : size[0], : size[1]]
    found = walked(image, pixels, seed_exponent=power)
    assert (found - expected).abs().max() < 1e-5
    sure = torch.cat([torch.full_like(expected[:1], 0.25), expected]).topk(2, 0).values.diff(dim=0)[0] < -1e-4
    ours, theirs = labelled(image, found), irn.label(expected, CLASSES)
    assert torch.equal(ours[sure], theirs[sure]) and sure.float().mean() > 0.99
    assert len(theirs.unique()) == 3 if power == 1 else len(theirs.unique()) > 1


def test_the_bare_image_has_other_edges(draw):
    """The setting that was the default: group norms of the image alone."""
    image, size = random_image(draw, 48, 64), (48, 64)
    grid = torch.rand(2, 12, 16, generator=draw, dtype=torch.float64)
    edge = irn.boundary(in_double(FILE), image, CROP)
    expected = irn.walk(grid / grid.amax((1, 2), keepdim=True), edge, size)
    pixels = grid.repeat_interleave(4, 1).repeat_interleave(4, 2)
    assert (walked(image, pixels, pad_to_crop=False) - expected).abs().max() > 0.01


@pytest.mark.parametrize(("size", "squeezed"), [((48, 64), False), ((93, 125), False), ((60, 100), True)])
def test_maps_of_the_classifier_walk_as_published_but_for_a_squeeze(size, squeezed, draw):
    """The deviation: published maps are stretched to the grid, where ours are the means of cells of the whole image.

    Sides that end in the last four pixels of a cell of 16 have no squeeze; in VOC's 375×500 it moves the far sides by 8
    and 12 pixels, in 60×100 by 4 and 12.
    """
    image = random_image(draw, *size)
    maps = torch.rand(2, *(cam.cells(side, 16) for side in size), generator=draw, dtype=torch.float64)
    grid, high_res = cam.collected([maps], range(2), size)
    expected = irn.walk(grid, irn.boundary(in_double(FILE), image, 128), size)
    difference = (walked(image, high_res, crop_size=128) - expected).abs().max()
    assert 0.01 < difference < 0.5 if squeezed else difference < 1e-5, float(difference)


def test_a_batch_has_the_published_loss_and_gradients(monkeypatch, draw):
    images = torch.stack([random_image(draw, CROP, CROP) for _ in range(2)])
    blocks = torch.tensor([0, 4, 12, 255])[torch.randint(0, 4, (2, 12, 12), generator=draw)]
    labels = blocks.repeat_interleave(8, 1).repeat_interleave(8, 2).roll(3, 2)
    state = in_double(FILE, learning=True)
    expected = irn.loss(state, images, labels)
    expected.backward()

    ours = module()
    monkeypatch.setattr(ours, "log", lambda *_, **options: None)
    found = ours.train().training_step({"id": ["a", "b"], "image": images, "label": labels}, 0)
    found.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    learnt = {name for name, value in ours.network.named_parameters() if value.grad is not None}
    assert learnt == {name for name in state if name.startswith("fc_") and state[name].grad is not None}
    for name in learnt:
        wanted = state[name].grad
        assert (ours.network.get_parameter(name).grad - wanted).abs().max() <= 1e-5 * wanted.abs().max(), name
