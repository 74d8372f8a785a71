"""What the probe learns of noisy labels, and that it is the same each time."""

import math

import pytest
import torch

from mars_pl.debias.probe.cells import BACKGROUND, BIASED, OBJECT, Cells
from mars_pl.debias.probe.probe import EVEN, Probe, teach

SEA, BOAT, SKY = 0, 1, 2
"""Axes of tokens: a companion, its object, and background."""


def tokens(axis, count, spread=0.2):
    found = spread * torch.randn(count, 6, generator=torch.Generator().manual_seed(axis))
    found[:, axis] += 1
    return found


def world(kept_boats=270, kept_sea=20):
    """300 cells of boats, 200 of sea in the boats' labels and 1,000 of sky; some of both are taken for the other."""
    boats = torch.tensor([OBJECT] * kept_boats + [BIASED] * (300 - kept_boats))
    sea = torch.tensor([OBJECT] * kept_sea + [BIASED] * (200 - kept_sea))
    sky = torch.full((1000,), BACKGROUND)
    cells = [tokens(BOAT, 300), tokens(SEA, 200), tokens(SKY, 1000)]
    return Cells(7 * torch.cat(cells), torch.cat([boats, sea, sky]))


def asked(probe, axis):
    return probe.objectness(tokens(axis, 50).T[:, :, None])


def test_what_was_removed_wrongly_comes_back_and_what_was_kept_wrongly_goes():
    taught = teach(world())
    assert (asked(taught.probe, BOAT) > EVEN).all()
    assert (asked(taught.probe, SEA) < EVEN).all() and (asked(taught.probe, SKY) < EVEN).all()
    assert taught.kept[0] == pytest.approx(290 / 500) and taught.kept[-1] == pytest.approx(300 / 500, abs=0.01)


def test_it_stops_where_nothing_changes_and_after_so_many_fits():
    assert len(teach(world(), fits=1).kept) == 2
    settled = teach(world(), fits=50)
    assert len(settled.kept) < 50 and settled.kept[-1] == settled.kept[-2]


def test_the_same_cells_give_the_same_probe_whatever_the_threads():
    before, found = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(teach(world()).probe)
    torch.set_num_threads(before)
    assert torch.equal(found[0].weight, found[1].weight) and torch.equal(found[0].bias, found[1].bias)


def test_a_heavy_penalty_leaves_the_share_of_objects():
    probe = teach(world(), fits=1, penalty=1e6).probe
    assert asked(probe, BOAT).mean() == pytest.approx(290 / 1500, abs=1e-3)


def test_the_log_odds_are_linear_in_a_token_of_unit_length():
    probe = Probe(torch.tensor([1.0, 2.0]), torch.tensor([-0.5]))
    [[found]] = probe.objectness(torch.tensor([3.0, 4.0]).reshape(2, 1, 1)).tolist()
    assert found == pytest.approx(1 / (1 + math.exp(-(0.6 + 1.6 - 0.5))))
    with pytest.raises(ValueError, match="features of 3 channels, a probe of 2"):
        probe.objectness(torch.ones(3, 1, 1))


@pytest.mark.parametrize(
    ("kind", "said"), [(BACKGROUND, "5 cells of background and 0"), (OBJECT, "0 cells of background and 5")]
)
def test_labels_without_background_or_object_teach_nothing(kind, said):
    with pytest.raises(ValueError, match=said):
        teach(Cells(torch.rand(5, 3), torch.full((5,), kind)))


def test_where_nothing_would_be_left_it_stops():
    alike = Cells(torch.ones(100, 6), torch.tensor([OBJECT] * 10 + [BACKGROUND] * 90))
    taught = teach(alike)
    assert taught.kept == (1.0, 0.0) and asked(taught.probe, 0).isfinite().all()
