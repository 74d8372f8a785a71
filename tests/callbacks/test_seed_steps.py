import random
from types import SimpleNamespace

import numpy as np
import torch

from callbacks.seed_steps import SeedSteps


def draw(seed, epoch, rank, batch=0):
    trainer = SimpleNamespace(current_epoch=epoch, global_rank=rank)
    SeedSteps(seed).on_train_batch_start(trainer, None, None, batch_idx=batch)
    return torch.rand(1).item(), np.random.rand(), random.random()


def test_the_same_step_draws_the_same_whatever_came_before():
    first = draw(0, 3, 0, batch=2)
    torch.rand(7)
    assert draw(0, 3, 0, batch=2) == first


def test_seed_epoch_batch_and_rank_each_matter():
    draws = [draw(0, 1, 0), draw(1, 0, 0), draw(0, 0, 1), draw(0, 0, 0, batch=1), draw(0, 0, 0)]
    for values in zip(*draws, strict=True):
        assert len(set(values)) == 5


def test_seed_everything_is_the_default(monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "5")
    assert draw(None, 2, 0) == draw(5, 2, 0)
    monkeypatch.delenv("PL_GLOBAL_SEED")
    assert draw(None, 2, 0) == draw(0, 2, 0)
