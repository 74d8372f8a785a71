from types import SimpleNamespace

import pytest
import torch

from callbacks.finite_loss import FiniteLoss


def step(callback, loss, number=7, ids=("a", "b", "c", "d", "e")):
    trainer = SimpleNamespace(global_step=number)
    callback.on_train_batch_start(trainer, None, {"id": list(ids)}, 0)
    callback.on_before_backward(trainer, None, torch.tensor(loss))


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_the_first_loss_that_is_no_number_ends_the_fit(loss):
    callback = FiniteLoss()
    step(callback, 0.5)
    with pytest.raises(ValueError, match=r"loss is (nan|-?inf) at optimiser step 7 \(images a, b, c, d, …\); take a"):
        step(callback, loss)


def test_a_batch_without_names_is_not_named():
    callback = FiniteLoss()
    callback.on_train_batch_start(None, None, torch.zeros(2), 0)
    with pytest.raises(ValueError, match=r"at optimiser step 3; take"):
        callback.on_before_backward(SimpleNamespace(global_step=3), None, torch.tensor(float("nan")))
