import pytest
import timm
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from mars_pl.networks.sync_batch_norm import SyncBatchNorms

IMAGE = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["test_efficientnet", "test_resnet"])
def test_every_batch_norm_is_converted_and_the_network_computes_the_same(name):
    network = timm.create_model(name)
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    assert any(isinstance(part, BatchNormAct2d) for part in norms) == (name == "test_efficientnet")
    keys, training, expected = list(network.state_dict()), network(IMAGE), network.eval()(IMAGE)
    norms[0].train()
    sync = SyncBatchNorms()
    converted = sync.apply(network)
    found = [part for part in converted.modules() if isinstance(part, nn.SyncBatchNorm)]
    assert len(found) == len(norms) and not any(isinstance(part, nn.BatchNorm2d) for part in converted.modules())
    assert found[0].training and not any(part.training for part in found[1:]), "what was frozen stays frozen"
    assert list(converted.state_dict()) == keys
    assert torch.equal(converted.eval()(IMAGE), expected)
    assert torch.allclose(converted.train()(IMAGE), training, atol=1e-5)
    assert torch.equal(sync.apply(sync.revert(converted)).eval()(IMAGE), converted.eval()(IMAGE)), "a second fit"
