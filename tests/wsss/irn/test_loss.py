import math

import numpy as np
import pytest
import torch
from PIL import Image

from mars_pl.wsss.irn.loss import cell_labels, displacement_loss, label_pairs
from mars_pl.wsss.propagation.affinity_loss import affinity_loss
from mars_pl.wsss.propagation.random_walk import half_disc

RADIUS, CLASSES = 3, 4


@pytest.mark.parametrize("size", [(8, 12), (64, 96)])
def test_a_cell_has_the_label_that_pils_nearest_takes(size):
    label = torch.randint(0, 256, (2, *size), generator=torch.Generator().manual_seed(0))
    for found, whole in zip(cell_labels(label, 4, 21), label, strict=True):
        small = Image.fromarray(whole.numpy().astype(np.uint8)).resize((size[1] // 4, size[0] // 4), Image.NEAREST)
        assert found.tolist() == np.asarray(small).tolist()


def test_a_last_cell_without_its_middle_is_unsure():
    label = torch.arange(7 * 10).view(1, 7, 10)
    assert cell_labels(label, 4, 99)[0].tolist() == [[22, 26, 99], [62, 66, 99]]


def random_case(seed=0):
    generator = torch.Generator().manual_seed(seed)
    codes = torch.tensor([0, 1, 3, 255])
    label = codes[torch.randint(0, 4, (2, 6, 9), generator=generator)]
    shape = label_pairs(label, RADIUS, CLASSES).background.shape
    affinity = torch.rand(shape, generator=generator, dtype=torch.float64)
    displacement = torch.randn(2, 2, 6, 9, generator=generator, dtype=torch.float64)
    return label, affinity, displacement


def literal_losses(label, affinity, displacement):
    """pos, neg, dp_fg and dp_bg of step/train_irn.py, pair by pair."""
    sums = dict.fromkeys(("bg", "fg", "neg", "dp_fg", "dp_bg"), 0.0)
    counts = dict.fromkeys(("bg", "fg", "neg"), 0)
    reach = RADIUS - 1
    for b in range(2):
        for o, (down, right) in enumerate(half_disc(RADIUS).tolist()):
            for y in range(6 - reach):
                for x in range(reach, 9 - reach):
                    one, other = int(label[b, y, x]), int(label[b, y + down, x + right])
                    value = float(affinity[b, o, y, x - reach])
                    if one >= CLASSES or other >= CLASSES:
                        continue
                    kind = "neg" if one != other else "fg" if one > 0 else "bg"
                    counts[kind] += 1
                    sums[kind] -= math.log(1 + 1e-5 - value if kind == "neg" else value + 1e-5)
                    difference = displacement[b, :, y, x] - displacement[b, :, y + down, x + right]
                    if kind == "fg":
                        sums["dp_fg"] += abs(float(difference[0]) - down) + abs(float(difference[1]) - right)
                    if kind == "bg":
                        sums["dp_bg"] += float(difference.abs().sum())
    positive = (sums["bg"] / (counts["bg"] + 1e-5) + sums["fg"] / (counts["fg"] + 1e-5)) / 2
    negative = sums["neg"] / (counts["neg"] + 1e-5)
    dp_fg, dp_bg = (sums[f"dp_{kind}"] / (2 * counts[kind] + 1e-5) for kind in ("fg", "bg"))
    return (positive + negative) / 2, (dp_fg + dp_bg) / 2


@pytest.mark.parametrize("seed", range(3))
def test_both_losses_agree_with_the_literal_ones(seed):
    label, affinity, displacement = random_case(seed)
    pairs = label_pairs(label, RADIUS, CLASSES)
    relation, field = literal_losses(label, affinity, displacement)
    assert affinity_loss(affinity, pairs).item() == pytest.approx(relation, rel=1e-9)
    assert displacement_loss(displacement, RADIUS, pairs).item() == pytest.approx(field, rel=1e-9)


def test_pairs_by_hand():
    label = torch.tensor([[[0, 0, 1, 1], [0, 255, 1, 2]]])
    pairs = label_pairs(label, 2, num_classes=3)  # offsets right, down-left, down, down-right of (0, 1) and (0, 2)
    assert pairs.background[0, :, 0].tolist() == [[False, False], [True, False], [False, False], [False, False]]
    assert pairs.foreground[0, :, 0].tolist() == [[False, True], [False, False], [False, True], [False, False]]
    assert pairs.negative[0, :, 0].tolist() == [[True, False], [False, False], [False, False], [True, True]]


def test_a_pair_is_of_one_kind_at_most_and_unsure_cells_are_in_none():
    label, _, _ = random_case()
    pairs = label_pairs(label, RADIUS, CLASSES)
    assert torch.stack(pairs).sum(0).max() == 1
    assert not torch.stack(label_pairs(torch.full_like(label, 255), RADIUS, CLASSES)).any()
    assert not torch.stack(label_pairs(torch.full_like(label, 254), RADIUS, CLASSES)).any()


def test_crops_without_pairs_cost_nothing():
    label, affinity, displacement = random_case()
    nothing = label_pairs(torch.full_like(label, 255), RADIUS, CLASSES)
    assert affinity_loss(affinity, nothing) == 0
    assert displacement_loss(displacement, RADIUS, nothing) == 0


def test_a_field_that_points_to_the_middle_of_one_object_costs_nothing():
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(9.0), indexing="ij")
    field = torch.stack([3 - y, 4 - x])[None]
    pairs = label_pairs(torch.ones(1, 6, 9, dtype=torch.long), RADIUS, CLASSES)
    assert displacement_loss(field, RADIUS, pairs) == 0
    assert displacement_loss(-field, RADIUS, pairs) > 1


def test_certain_affinities_stay_finite():
    label, affinity, _ = random_case()
    pairs = label_pairs(label, RADIUS, CLASSES)
    for value in (0.0, 1.0):
        assert affinity_loss(torch.full_like(affinity, value).float(), pairs).isfinite()
