import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from callbacks.ema_teacher import EMATeacher
from tests.fakes.quiet_trainer import quiet_trainer


class Module(pl.LightningModule):
    """One weight that grows by 1 an optimiser step."""

    def __init__(self):
        super().__init__()
        self.network, self.teacher = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False).requires_grad_(False)
        self.network.weight.data.fill_(0)
        self.teacher.weight.data.fill_(0)

    def training_step(self, batch, batch_index):
        return -self.network.weight.sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.network.parameters(), lr=1.0)


def fit(callback, batches, **options):
    module = Module()
    trainer = quiet_trainer(callbacks=[callback], max_epochs=1, **options)
    trainer.fit(module, DataLoader(torch.zeros(batches, 1)))
    return module, trainer


def test_a_short_fit_is_the_mean_of_all_states():
    callback = EMATeacher(decay=0.999)
    module, trainer = fit(callback, 4)
    assert module.teacher.weight.item() == pytest.approx((0 + 1 + 2 + 3 + 4) / 5)
    assert callback.initial_share == pytest.approx(1 / 5)
    assert trainer.callback_metrics["teacher/initial_share"].item() == pytest.approx(1 / 5)


def test_decay_takes_over_at_its_horizon():
    callback = EMATeacher(decay=0.6)
    module, _ = fit(callback, 4)
    expected = 0.0
    for state, decay in ((1, 1 / 2), (2, 0.6), (3, 0.6), (4, 0.6)):
        expected = decay * expected + (1 - decay) * state
    assert module.teacher.weight.item() == pytest.approx(expected)
    assert callback.initial_share == pytest.approx(0.5 * 0.6**3)


@pytest.mark.parametrize("decay", [0.98, 0.99, 0.999])
def test_the_start_is_forgotten_within_a_short_fit(decay):
    callback = EMATeacher(decay)
    fit(callback, 120)
    assert callback.updates == 120
    assert callback.initial_share < 0.01


def test_accumulated_batches_count_once():
    callback = EMATeacher()
    module, _ = fit(callback, 6, accumulate_grad_batches=3)
    assert callback.updates == 2
    assert module.network.weight.item() == pytest.approx(2)
    assert module.teacher.weight.item() == pytest.approx((0 + 1 + 2) / 3)


def test_state_goes_on():
    callback = EMATeacher()
    fit(callback, 3)
    again = EMATeacher()
    again.load_state_dict(callback.state_dict())
    assert (again.updates, again.initial_share) == (3, pytest.approx(1 / 4))


def test_a_decay_beyond_one_is_refused():
    with pytest.raises(ValueError, match="decay"):
        EMATeacher(1.5)


def test_the_exponential_ramp_is_that_of_rsepm():
    callback = EMATeacher(decay=0.9999, ramp="exponential")
    assert callback.kept_at(1) == pytest.approx(0.9999 * (1 - 0.9995001249791693))
    assert callback.kept_at(2000) == pytest.approx(0.9999 * (1 - 0.36787944117144233))
    assert callback.kept_at(10**6) == pytest.approx(0.9999)


def test_the_exponential_ramp_moves_the_teacher():
    callback = EMATeacher(decay=0.8, ramp="exponential", ramp_steps=2)
    module, _ = fit(callback, 3)
    first, second, third = (0.8 * (1 - share) for share in (0.6065306597, 0.3678794412, 0.2231301601))  # exp(−t / 2)
    expected = 1 - first
    expected = second * expected + (1 - second) * 2
    expected = third * expected + (1 - third) * 3
    assert module.teacher.weight.item() == pytest.approx(expected)
    assert callback.initial_share == pytest.approx(first * second * third)


@pytest.mark.parametrize(("options", "named"), [({"ramp": "linear"}, "ramp"), ({"ramp_steps": 0}, "ramp_steps")])
def test_another_ramp_is_refused(options, named):
    with pytest.raises(ValueError, match=named):
        EMATeacher(**options)
