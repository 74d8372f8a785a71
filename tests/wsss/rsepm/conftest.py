import pytest
import torch

from mars_pl.wsss.rsepm.network import SingleStageNetwork


@pytest.fixture
def make_network():
    """Factory of tiny networks: random weights, timm's test encoder, no download."""

    def make(num_classes=4, seed=0, **options):
        torch.manual_seed(seed)
        return SingleStageNetwork(num_classes, "test_resnet", **{"channels": 8, "low_level_channels": 4, **options})

    return make
