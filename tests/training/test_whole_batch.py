"""Rows and draws of a batch that processes share are those of the batch that one process would have."""

import pytest
import torch

from mars_pl.training.over_processes import mean_over_processes
from mars_pl.training.whole_batch import all_rows, draw_for_all, own_rows, whole_size
from mars_pl.uss.stego.dropout import channel_dropout
from mars_pl.uss.stego.loss import STEGOLoss
from tests.processes.process_group import in_processes

WHOLE = torch.arange(12.0).view(6, 2)


def shared(rank, world):
    torch.manual_seed(rank)
    own = own_rows(WHOLE).clone().requires_grad_()
    rows = all_rows(own)
    (rows * (rank + 1) * WHOLE).sum().backward()
    return rows.tolist(), own.grad.tolist(), draw_for_all(lambda: torch.rand(3)).tolist(), whole_size(len(own))


@pytest.mark.parametrize("world", [2, 3])
def test_rows_come_back_in_order_and_gradients_go_back_from_every_process(world):
    torch.manual_seed(0)
    drawn = torch.rand(3).tolist()
    for rank, (rows, gradient, draw, size) in in_processes(world, shared, world).items():
        assert rows == WHOLE.tolist() and size == 6
        assert gradient == (WHOLE[rank::world] * sum(range(1, world + 1))).tolist()
        assert draw == drawn, "the first process's"


def test_one_process_has_all_rows_and_its_own_draw():
    own = torch.rand(3, 2)
    assert all_rows(own) is own and torch.equal(own_rows(own), own)
    assert draw_for_all(lambda: own) is own and whole_size(3) == 3 and mean_over_processes(own) is own


def stego(part):
    """Loss, terms and the gradients of both codes, of every row of a batch of six or of a part of them."""
    torch.manual_seed(0)
    maps = torch.randn(6, 2, 8, 4, 5)
    features, positive = maps[part].unbind(1)
    codes = [maps[part, place, :3].clone().requires_grad_() for place in (0, 1)]
    dropped = channel_dropout(features, 0.3)
    terms = STEGOLoss(points=3, shift_random=0.1)(dropped, codes[0], positive, codes[1])
    terms.loss.backward()
    return [term.item() for term in terms], [code.grad.tolist() for code in codes], dropped.tolist()


def stego_share(rank, world):
    return stego(slice(rank, None, world))


@pytest.mark.parametrize("world", [2, 3])
def test_stegos_loss_over_processes_is_that_of_the_whole_batch(world):
    terms, gradients, dropped = stego(slice(None))
    parts = in_processes(world, stego_share, world)
    for place, term in enumerate(terms):
        assert sum(part[0][place] for part in parts.values()) / world == pytest.approx(term, abs=1e-6)
    for rank, (_, own, kept) in parts.items():
        assert kept == dropped[rank::world]
        for found, wanted in zip(own, gradients, strict=True):  # DDP averages over processes
            torch.testing.assert_close(
                torch.tensor(found) / world, torch.tensor(wanted)[rank::world], rtol=1e-4, atol=1e-7
            )
