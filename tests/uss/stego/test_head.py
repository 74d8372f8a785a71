from __future__ import annotations

import torch

from mars_pl.uss.stego.head import STEGOHead


def test_it_is_the_sum_of_a_linear_and_a_rectified_branch():
    head = STEGOHead(2, dim=1).eval()
    weights = {
        "linear.weight": torch.tensor([[[[1.0]], [[10.0]]]]),
        "linear.bias": torch.tensor([0.5]),
        "nonlinear.0.weight": torch.tensor([[[[1.0]], [[-1.0]]], [[[-1.0]], [[1.0]]]]),
        "nonlinear.0.bias": torch.zeros(2),
        "nonlinear.2.weight": torch.tensor([[[[100.0]], [[1000.0]]]]),
        "nonlinear.2.bias": torch.zeros(1),
    }
    head.load_state_dict(weights)
    tokens = torch.tensor([[[[1.0, 3.0]], [[2.0, 1.0]]]])  # places (1, 2) and (3, 1)
    # 1 + 20 + .5 + 1000·relu(1); 3 + 10 + .5 + 100·relu(2)
    assert head(tokens).flatten().tolist() == [1021.5, 213.5]


def test_shape_and_default_dimension():
    assert STEGOHead(64)(torch.randn(2, 64, 3, 5)).shape == (2, 70, 3, 5)


def test_channels_drop_out_as_a_whole_and_in_training_only():
    head, tokens = STEGOHead(64, dim=8), torch.ones(4, 64, 3, 3)
    code = head.train()(tokens)
    torch.testing.assert_close(code, code[..., :1, :1].expand_as(code))
    assert not torch.allclose(code[0], code[1], atol=0.01)
    torch.testing.assert_close(head.eval()(tokens)[0], head(tokens)[1])
