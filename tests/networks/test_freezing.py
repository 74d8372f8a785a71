import pytest
from torch import nn

from mars_pl.networks.freezing import freeze_batch_norms, hold_batch_norms
from mars_pl.networks.sync_batch_norm import SyncBatchNorms


@pytest.mark.parametrize("several_processes", [False, True])
def test_batch_norms_stay_frozen_when_the_trainer_makes_them_sync(several_processes):
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    if several_processes:
        network = SyncBatchNorms().apply(network)
    freeze_batch_norms(network.train())
    hold_batch_norms(network)
    assert not network[1].training and network[0].training
    assert [parameter.requires_grad for parameter in network.parameters()] == [True, True, False, False]
