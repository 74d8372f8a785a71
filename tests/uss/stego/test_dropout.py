from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from mars_pl.uss.stego.dropout import channel_dropout
from mars_pl.uss.stego.head import STEGOHead
from mars_pl.uss.stego.stego_module import STEGOModule


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_process_drops_what_torch_would_and_leaves_the_generator_where_torch_would(share, dtype):
    maps = torch.randn(4, 32, 3, 2).to(dtype)
    torch.manual_seed(5)
    found, after = channel_dropout(maps, share), torch.rand(1)
    torch.manual_seed(5)
    if share:
        assert torch.equal(found, F.dropout2d(maps, share))
        assert (found.flatten(2).abs().sum(-1) == 0).any(), "some channel is gone"
    else:
        assert found is maps
    assert torch.equal(after, torch.rand(1))


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_what_is_no_share_is_refused(share, backbone):
    with pytest.raises(ValueError, match=r"^dropout: a share of the channels in \[0, 1\), not"):
        STEGOHead(8, dropout=share)
    with pytest.raises(ValueError, match=r"^feature_dropout: a share"):
        STEGOModule(STEGOHead, backbone, feature_dropout=share)
