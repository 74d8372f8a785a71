"""SLURM's warning waits for a whole step, and for all processes; in the real command: test_interruption.py."""

import os
import signal
from types import SimpleNamespace

import pytest
from lightning_fabric.plugins.environments import LightningEnvironment, SLURMEnvironment

from mars_pl.cli.requeue import APART, RequeueAfterStep


@pytest.fixture
def asked():
    """What Lightning's handler was called with; it is in place while a fit starts."""
    calls = []
    before = signal.signal(signal.SIGUSR1, lambda signum, frame: calls.append(signum))
    yield calls
    signal.signal(signal.SIGUSR1, before)


def fit(cluster, processes=1, others=False):
    """A trainer as far as the callback looks; `others` says whether another process heard the signal."""
    strategy = SimpleNamespace(reduce_boolean_decision=lambda heard, all: heard or others)
    connector = SimpleNamespace(cluster_environment=cluster)
    return SimpleNamespace(global_step=0, world_size=processes, strategy=strategy, _accelerator_connector=connector)


def ended(callback, trainer, step):
    trainer.global_step = step
    callback.on_train_batch_end(trainer, None, None, None, 0)


def test_it_waits_until_the_gathered_gradients_are_used(asked):
    callback, trainer = RequeueAfterStep(), fit(SLURMEnvironment())
    callback.on_train_start(trainer, None)
    os.kill(os.getpid(), signal.SIGUSR1)
    ended(callback, trainer, 0)
    assert asked == []
    ended(callback, trainer, 1)
    ended(callback, trainer, 2)
    assert asked == [signal.SIGUSR1], "once"


def test_several_processes_agree_at_the_same_steps(asked):
    callback, trainer = RequeueAfterStep(), fit(SLURMEnvironment(), processes=2, others=True)
    callback.on_train_start(trainer, None)
    for step in range(1, APART):
        ended(callback, trainer, step)
    assert asked == []
    ended(callback, trainer, APART)
    assert asked == [signal.SIGUSR1], "the other process heard it"


@pytest.mark.parametrize("cluster", [LightningEnvironment(), SLURMEnvironment(auto_requeue=False)])
def test_elsewhere_the_signal_is_left_alone(asked, cluster):
    handler = signal.getsignal(signal.SIGUSR1)
    RequeueAfterStep().on_train_start(fit(cluster), None)
    assert signal.getsignal(signal.SIGUSR1) is handler
