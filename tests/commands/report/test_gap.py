"""How much of the gap to full supervision is closed, from rows that were measured alike."""

import pytest

from mars_pl.commands.report.gap import gap

ROW = {"miou": 0.5, "split": "val", "images": 10, "refinement": "none", "network": "teacher"}


@pytest.mark.parametrize(
    ("mars", "supervised", "closed"),
    [
        ({"miou": 0.6}, {"miou": 0.9}, 0.25),
        ({"miou": 0.4}, {"miou": 0.9}, -0.25),
        ({"miou": 0.6}, {"miou": 0.5}, None),  # there is no gap
        ({"miou": None}, {"miou": 0.9}, None),
        ({"miou": 0.6, "split": "train"}, {"miou": 0.9}, None),  # unlike things are not compared
        ({"miou": 0.6, "network": "student"}, {"miou": 0.9}, None),
        ({"miou": 0.6, "multi_scale": True}, {"miou": 0.9}, None),
        ({"miou": 0.6, "flip": True}, {"miou": 0.9, "flip": False}, None),
        ({"miou": 0.6, "resampling": "corners"}, {"miou": 0.9, "resampling": "centres"}, None),
        # who says nothing may be alike
        ({"miou": 0.6, "scales": [1], "flip": True, "window": None}, {"miou": 0.9}, 0.25),
    ],
)
def test_gap(mars, supervised, closed):
    result = gap({"baseline": ROW, "final": ROW | mars, "supervised": ROW | supervised})
    assert result["closed"] == pytest.approx(closed)


def test_the_last_rounds_network_is_the_one_that_closes_the_gap():
    rows = {"baseline": ROW, "final": ROW | {"miou": 0.6}, "supervised": ROW | {"miou": 0.9}}
    rows |= {"final-round2": ROW | {"miou": 0.7}, "final-round10": ROW | {"miou": 0.8}, "final-round11-seed1": ROW}
    assert gap(rows)["closed"] == pytest.approx(0.75)
    assert gap(rows, ("baseline", "final", "supervised"))["closed"] == pytest.approx(0.25)
