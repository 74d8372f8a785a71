from __future__ import annotations

import pytest
import torch
from timm.layers import DropPath as TimmDropPath

from mars_pl.uss.leopart.drop_path import DropPath
from tests.processes.process_group import in_processes


def kept(rank, count):
    """Which of twelve crops, two of each of six images by crop, keep their branch."""
    torch.manual_seed(rank)
    return DropPath(0.5)(torch.ones(12 // count, 3, 2))[:, 0, 0].tolist()


def test_it_draws_and_gives_what_timms_module_does():
    branch = torch.randn(16, 3, 2)
    torch.manual_seed(0)
    found = DropPath(0.3)(branch)
    torch.manual_seed(0)
    assert torch.equal(found, TimmDropPath(0.3)(branch))
    assert 0 < (found[:, 0, 0] == 0).sum() < 16


@pytest.mark.parametrize("module", [DropPath(0.0), DropPath(0.9).eval()])
def test_nothing_is_left_out_at_rate_0_nor_in_evaluation(module):
    branch = torch.randn(8, 3, 2)
    state = torch.get_rng_state()
    assert module(branch) is branch and torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("count", [2, 3])
def test_an_image_keeps_its_branch_whatever_the_number_of_processes(count):
    alone = torch.tensor(kept(0, 1)).view(2, 6)
    found = in_processes(count, kept, count)
    for rank in range(count):
        assert torch.equal(torch.tensor(found[rank]).view(2, -1), alone[:, rank::count])
    assert set(alone.flatten().tolist()) == {0, 2}
