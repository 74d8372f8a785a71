"""Half precision without a GPU: CPU autocast in bfloat16, and in float16 with a gradient scaler, beside float32."""

import math

import pytest
import torch

from mars_pl.uss.leopart.sinkhorn import sinkhorn
from tests.training.half_precision import PUBLISHED, SMALL, course

HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
CLOSE = {"bfloat16": 0.05, "float16": 0.01}
"""Relative to the loss of the same step in float32, or to its gradient's norm."""

TAME = 1000
"""DeepLabv1 from random Wide ResNet-38 weights has a gradient of 4,500, and goes its own way in every precision."""

LARGEST = torch.finfo(torch.float16).max / 100
"""Whatever a module gives stays two orders below what float16 can hold."""


def agree(single, half, name, steps):
    """Every loss is finite, and the first one and its gradient are those of float32 but for rounding."""
    assert all(map(math.isfinite, half.losses)) and len(half.losses) == steps
    assert half.losses[0] == pytest.approx(single.losses[0], rel=CLOSE[name], abs=CLOSE[name])
    if math.isfinite(half.norms[0]):
        assert half.norms[0] == pytest.approx(single.norms[0], rel=0.15)
    assert half.largest < LARGEST
    finite = [norm for norm in half.norms if math.isfinite(norm)]
    assert len(finite) == steps - half.skipped, "the scaler skips what is not finite, and nothing else"


@pytest.mark.parametrize("fit", SMALL)
def test_a_step_in_bfloat16_is_that_of_float32_but_for_rounding(fit):
    single, half = course(SMALL[fit], 1, None), course(SMALL[fit], 1, torch.bfloat16)
    assert half.skipped == 0
    agree(single, half, "bfloat16", 1)


def test_sinkhorn_of_half_precision_scores_shares_in_float32():
    """exp(1 / .05) is 4.9e8: infinite in float16, and the shares of equal scores have to sum to one."""
    torch.manual_seed(0)
    scores = torch.nn.functional.normalize(torch.randn(64, 16), dim=1) @ torch.eye(16)[:, :8]
    scores[0, 0] = 1
    expected = sinkhorn(scores)
    for name, half in HALVES.items():
        with torch.autocast("cpu", half):
            shares = sinkhorn(scores.to(half))
        assert shares.dtype == torch.float32 and shares.isfinite().all()
        assert torch.allclose(shares.sum(1), torch.ones(64), atol=1e-6)
        assert (shares - expected).abs().max() < {"bfloat16": 0.05, "float16": 0.005}[name]
    assert torch.exp(scores.half() / 0.05).isinf().any(), "the case decides something"


@pytest.mark.slow
@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("fit", [*SMALL, *PUBLISHED])
def test_ten_steps(fit, half):
    make, steps = (SMALL | PUBLISHED)[fit], 10
    if fit in PUBLISHED and half == "float16":
        steps = 2  # slow on a CPU: a minute a step of Wide ResNet-38
    single, found = course(make, steps, None), course(make, steps, HALVES[half])
    agree(single, found, half, steps)
    assert found.skipped <= (0 if half == "bfloat16" else 3), "the scaler starts at 65536 and finds its scale"
    if not found.skipped and single.norms[0] < TAME:
        assert found.losses[-1] == pytest.approx(single.losses[-1], rel=0.1, abs=0.1)
