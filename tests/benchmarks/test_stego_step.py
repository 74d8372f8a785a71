from functools import partial

import pytest
import torch

from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.stego.head import STEGOHead
from mars_pl.uss.stego.loss import draw_random_negatives
from mars_pl.uss.stego.stego_module import STEGOModule
from tests.benchmarks.stego_step import RATE, published_loss, super_permutation, write_attention_out


@pytest.fixture
def module():
    torch.manual_seed(0)
    module = STEGOModule(partial(STEGOHead, dim=6), FrozenViT("test_vit"), lr=RATE)
    module.log_dict = lambda *_, **__: None
    return module.train()


def images(count=4):
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.randint(0, 256, (count, 3, 48, 64), dtype=torch.uint8, generator=generator)
        for name in ("image", "positive_image")
    }


def loss_and_gradient(module, loss):
    torch.manual_seed(2)
    module.zero_grad()
    found = loss()
    found.backward()
    return found.detach(), torch.cat([parameter.grad.flatten() for parameter in module.head.parameters()])


def test_both_steps_have_the_same_loss_and_gradient_on_the_same_draws(module):
    batch = images()
    ours = loss_and_gradient(module, lambda: module.training_step(batch, 0))
    write_attention_out(module.backbone)
    theirs = loss_and_gradient(
        module, lambda: published_loss(module.backbone, module.head, batch, draw_random_negatives)
    )
    torch.testing.assert_close(ours[0], theirs[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(ours[1], theirs[1], rtol=1e-4, atol=1e-6)


def test_stored_tokens_have_the_loss_of_images_to_their_precision(module):
    batch = images()
    tokens = {name.replace("image", "tokens"): module.backbone(image).half() for name, image in batch.items()}
    ours = loss_and_gradient(module, lambda: module.training_step(tokens, 0))
    theirs = loss_and_gradient(
        module, lambda: published_loss(module.backbone, module.head, batch, draw_random_negatives)
    )
    torch.testing.assert_close(ours[0], theirs[0], rtol=0, atol=1e-3)


def test_other_permutations_have_the_same_loss_in_the_mean(module):
    batch = images(8)

    def mean(partner):
        torch.manual_seed(3)
        with torch.no_grad():
            losses = [published_loss(module.backbone, module.head, batch, partner) for _ in range(60)]
        return torch.stack(losses).mean()

    torch.testing.assert_close(mean(super_permutation), mean(draw_random_negatives), rtol=0.02, atol=0)


def test_the_published_permutation_leaves_no_image_in_its_place():
    torch.manual_seed(0)
    assert not any((super_permutation(4) == torch.arange(4)).any() for _ in range(100))


def test_attention_is_written_out_in_every_block(module):
    write_attention_out(module.backbone)
    blocks = module.backbone.network.blocks
    assert len(blocks) and not any(block.attn.fused_attn for block in blocks)
