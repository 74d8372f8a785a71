from __future__ import annotations

import pytest
import torch

from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.leopart.head import LeopartHead
from mars_pl.uss.leopart.network import LeopartNetwork

SMALL = {"depth": 3, "embed_dim": 48, "num_heads": 3}


def network(name="test_vit", drop_path=0.1, **kwargs):
    torch.manual_seed(0)
    backbone = FrozenViT(name, model_kwargs=kwargs)
    return LeopartNetwork(backbone, LeopartHead(backbone.dim, dim=4, hidden=6, prototypes=5), drop_path), backbone


def test_it_is_a_copy_that_learns_and_starts_as_its_backbone(image):
    learner, backbone = network()
    assert all(module.training for module in learner.modules())
    torch.testing.assert_close(learner.eval()(image), learner.head(backbone(image)))
    learner(image).sum().backward()
    gradients = [value.grad for value in learner.vit.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert all(value.grad is None and not value.requires_grad for value in backbone.parameters())
    assert not backbone.training


@pytest.mark.parametrize(("name", "prefix"), [("vit_small_patch16_224.dino", 1), ("vit_small_patch16_dinov3", 5)])
def test_attention_is_the_class_tokens_own(name, prefix, image):
    learner, _ = network(name, **SMALL)
    block = learner.eval().vit.blocks[-1]
    seen = {}
    block.attn.register_forward_pre_hook(
        lambda module, args, kwargs: seen.update(x=args[0], **kwargs), with_kwargs=True
    )
    vectors, attention = learner.with_attention(image)
    torch.testing.assert_close(vectors, learner(image), rtol=1e-4, atol=1e-5)
    assert attention.shape == (2, 3, 4)
    if name.endswith("dino"):  # without rotary positions a literal softmax tells it
        query, key, _ = block.attn.qkv(seen["x"]).double().view(2, 13, 3, 3, 16).permute(2, 0, 3, 1, 4)
        shares = torch.stack([(query[:, head, 0, None] * key[:, head]).sum(-1).div(4).exp() for head in range(3)])
        by_hand = (shares / shares.sum(-1, keepdim=True)).mean(0)[:, prefix:].view(2, 3, 4)
        torch.testing.assert_close(attention, by_hand.float())
    total = attention.sum((-2, -1))
    assert (total < 1).all() and (total > (12 - prefix) / 17).all(), "class and register tokens get the rest"


def test_reading_attention_leaves_the_fused_kernel_as_it_was(image):
    learner, _ = network()
    attention = learner.vit.blocks[-1].attn
    attention.fused_attn = True
    learner.with_attention(image)
    assert attention.fused_attn and not attention.attn_drop._forward_hooks


def test_branches_are_left_out_more_often_the_deeper_and_in_training_only(image):
    learner, _ = network("vit_small_patch16_224.dino", drop_path=0.5, **SMALL)
    rates = [(block.drop_path1.rate, block.drop_path2.rate) for block in learner.vit.blocks]
    assert rates == [(0.0, 0.0), (0.25, 0.25), (0.5, 0.5)]
    assert torch.equal(learner.eval()(image), learner(image))
    learner.train()
    assert any(not torch.equal(learner(image), learner(image)) for _ in range(4))


def test_crops_that_do_not_divide_into_patches_are_refused():
    with pytest.raises(ValueError, match=r"48×40 pixels.*16×16.*training_set"):
        network()[0](torch.zeros(1, 3, 48, 40, dtype=torch.uint8))


def test_a_transformer_without_class_token_is_refused():
    with pytest.raises(ValueError, match="class token"):
        network("vit_small_patch16_224.dino", class_token=False, global_pool="avg", **SMALL)
