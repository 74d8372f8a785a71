import pytest
import torch

from mars_pl.networks.precision import at_least_single


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_single(half):
    found = at_least_single(torch.tensor([0.5, -3.0], dtype=half))
    assert found.dtype == torch.float32 and found.tolist() == [0.5, -3.0]


@pytest.mark.parametrize("whole", [torch.float32, torch.float64])
def test_what_is_precise_enough_stays_itself(whole):
    values = torch.ones(2, dtype=whole)
    assert at_least_single(values) is values
