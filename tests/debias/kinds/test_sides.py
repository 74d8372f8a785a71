import math

import pytest
import torch
from torch.nn import functional as F

from mars_pl.debias import similarity
from mars_pl.debias.kinds.sides import Sides, both_sides_map
from mars_pl.debias.kinds.two_kinds import TwoKinds
from tests.debias.kinds.worlds import COMPANION, GROUND, OBJECT, sample_of, world


def row_of(*cells):
    """A row of cells: (D, 1, n)."""
    return torch.tensor(cells).T[:, None]


def test_the_map_by_hand():
    row = row_of([2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    targets, others = torch.tensor([[1.0, 0, 0]]), torch.tensor([[0.0, 1, 0], [0, 0, -1.0]])
    found = both_sides_map(row, targets, others, (1, 4), temperature=0.5)[0].tolist()
    sigmoid = [1 / (1 + math.exp(-margin / 0.5)) for margin in (1, -1, 0, 0)]
    assert found == pytest.approx(sigmoid)
    assert found[2] == 0.5  # as near to one side as to the other


def test_of_several_centroids_the_nearest_counts():
    row = row_of([1.0, 0.0], [0.0, 1.0], [0.6, 0.8])
    targets, others = torch.tensor([[1.0, 0.0], [0.6, 0.8]]), torch.tensor([[-1.0, 0.0], [0.0, 1.0]])
    found = both_sides_map(row, targets, others, (1, 3), temperature=1.0)[0]
    assert torch.logit(found).tolist() == pytest.approx([1.0, -0.2, 0.2], abs=1e-6)


@pytest.mark.parametrize("upsample", ["features", "similarity"])
@pytest.mark.parametrize("block", [1, 700])
def test_row_blocks_do_not_show(block, upsample, monkeypatch):
    draw = torch.Generator().manual_seed(0)
    maps = torch.randn(8, 5, 6, generator=draw)
    targets, others = (F.normalize(torch.randn(3, 8, generator=draw), dim=1) for _ in range(2))
    wanted = both_sides_map(maps, targets, others, (37, 53), upsample=upsample)
    monkeypatch.setattr(similarity, "BLOCK_VALUES", block)
    assert torch.allclose(both_sides_map(maps, targets, others, (37, 53), upsample=upsample), wanted, atol=1e-5)


def test_rows_of_zeros_are_no_centroids():
    """The cosine 0 to one would beat every negative one."""
    targets, biased, background = torch.zeros(3, 2, 2), torch.zeros(3, 2, 2), torch.zeros(2, 2)
    targets[1, 0], targets[2, 0], biased[2, 1], background[0] = torch.eye(2)[[0, 1, 0, 1]]
    sides = Sides(targets, biased, background)
    own, others = sides.of_classes(torch.tensor([1]))
    assert own.tolist() == [[1, 0]] and others.tolist() == [[0, 1]]
    own, others = sides.of_classes(torch.tensor([1, 2]))
    assert own.tolist() == [[1, 0], [0, 1]] and others.tolist() == [[1, 0], [0, 1]]


def test_each_side_has_the_centroids_of_its_candidates():
    table = world(COMPANION)
    _, classes, vectors = table
    sample, settings = sample_of(table), TwoKinds(targets=1, biased=1, background=2)
    kinds = settings.find(sample, "minimum")
    foreground = classes == 1
    near = kinds.near(classes[foreground], vectors[foreground])
    sides = Sides.of_sample(sample, ~near, kinds, settings)
    assert sides.targets.shape == (2, 1, 6) and sides.biased.shape == (2, 1, 6) and sides.background.shape == (2, 6)
    assert not sides.targets[0].any() and not sides.biased[0].any()
    assert torch.allclose(sides.targets[1, 0], F.normalize(vectors[foreground][~near].mean(0), dim=0), atol=1e-6)
    assert sides.biased[1, 0] @ COMPANION > 0.95 and sides.targets[1, 0] @ OBJECT > 0.95
    assert (sides.background @ GROUND).max() > 0.95 and (sides.background @ COMPANION).max() > 0.95


def test_of_a_class_that_is_not_parted_nothing_is_biased():
    sample, settings = sample_of(world(COMPANION)), TwoKinds(companion=2.0, effect=1e9)
    sides = Sides.of_sample(sample, torch.ones(40, dtype=torch.bool), settings.find(sample, "minimum"), settings)
    assert not sides.biased.any() and sides.targets[1].any(dim=1).all()
    again = Sides.of_tensors(sides.tensors())
    assert all(torch.equal(getattr(again, name), getattr(sides, name)) for name in sides.tensors())
