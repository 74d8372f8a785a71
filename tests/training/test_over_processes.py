"""A loss over several processes is that of the whole batch, and so are its gradients when DDP has averaged them."""

import pytest
import torch

from mars_pl.segment.weighted_cross_entropy import WeightedCrossEntropy
from mars_pl.training.over_processes import mean_count, sum_over_processes
from mars_pl.uss.leopart.clustering_loss import clustering_loss
from mars_pl.wsss.irn.loss import displacement_loss
from mars_pl.wsss.propagation.affinity_loss import Pairs, affinity_loss
from mars_pl.wsss.rsepm.seeds import seed_cross_entropy
from tests.processes.process_group import in_processes

WORLD = 2


def uneven(shape, share):
    """Bool, true more often in the first half of the batch than in the second."""
    chance = torch.rand(shape, generator=torch.Generator().manual_seed(7))
    chance[: len(chance) // 2] *= share
    return chance < 0.3


def cross_entropy(x, part):
    label = torch.where(uneven((4, 6, 6), 0.2), 1, 255)[part]
    return WeightedCrossEntropy()(x.view(-1, 2, 6, 6), label, torch.linspace(0, 1, 36).view(6, 6).expand(label.shape))


def weights_norm(x, part):
    label = torch.where(uneven((4, 6, 6), 0.2), 1, 255)[part]
    return WeightedCrossEntropy(norm="weights")(x.view(-1, 2, 6, 6), label, label / 255)


def affinity(x, part):
    kinds = (uneven((4, 2, 6, 6), share)[part] for share in (0.2, 0.5, 0.9))
    return affinity_loss(x.view(-1, 2, 6, 6).sigmoid(), Pairs(*kinds))


def displacement(x, part):
    kinds = [uneven((4, 4, 5, 4), share)[part] for share in (0.2, 0.5)]
    return displacement_loss(x.view(-1, 2, 6, 6), 2, Pairs(kinds[0], kinds[1], kinds[0]))


def seeds(x, part):
    return seed_cross_entropy(x.view(-1, 2, 6, 6), torch.where(uneven((4, 6, 6), 0.2), 1, 255)[part])


def clustering(x, part):
    scores = x.view(-1, 2, 6, 6)
    boxes = torch.tensor([[0.0, 0, 60, 60], [0, 0, 60, 60]]).expand(len(scores), 2, 4)
    assigned = torch.full((2, len(scores), 2, 6, 6), 0.5)
    shown = ~uneven((4, 6, 6), 0.05)[part]
    return clustering_loss(assigned, shown.expand(2, *shown.shape), [scores, 2 * scores], boxes)


LOSSES = {loss.__name__: loss for loss in (cross_entropy, weights_norm, affinity, displacement, seeds, clustering)}


def gradient(name, part):
    torch.manual_seed(0)
    x = torch.randn(4, 72)[part].requires_grad_()
    loss = LOSSES[name](x, part)
    loss.backward()
    return loss.item(), x.grad.tolist()


def share(rank, name):
    return gradient(name, slice(2 * rank, 2 * rank + 2))


@pytest.mark.parametrize("name", LOSSES)
def test_two_halves_give_the_loss_and_the_gradients_of_the_whole(name):
    loss, whole = gradient(name, slice(None))
    parts = in_processes(WORLD, share, name)
    assert sum(parts[rank][0] for rank in range(WORLD)) / WORLD == pytest.approx(loss, rel=1e-5)
    halves = torch.tensor([row for rank in range(WORLD) for row in parts[rank][1]]) / WORLD  # as DDP averages
    torch.testing.assert_close(halves, torch.tensor(whole), rtol=1e-4, atol=1e-7)
    own = [gradient(name, slice(2 * rank, 2 * rank + 2))[0] for rank in range(WORLD)]
    assert sum(own) / WORLD != pytest.approx(loss, rel=1e-3), "a mean of means is something else"


def counts(rank):
    return (
        float(mean_count(torch.tensor(3 * rank))),
        float(mean_count(torch.tensor(0), least=1)),
        float(sum_over_processes(torch.tensor([rank + 1.0]))),
    )


def test_counts_are_those_of_all_processes_shared_out():
    assert in_processes(2, counts) == dict.fromkeys(range(2), (1.5, 0.5, 3.0))


def test_one_process_counts_for_itself():
    count = torch.tensor(5.0)
    assert mean_count(count) == 5 and mean_count(torch.tensor(0), least=1) == 1 and sum_over_processes(count) is count
