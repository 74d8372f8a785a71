from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader

from mars_pl.uss.stego.head import STEGOHead
from mars_pl.uss.stego.stego_module import STEGOModule
from tests.fakes.quiet_trainer import quiet_trainer


class Silent(nn.Module):
    """A backbone that must not be asked."""

    def __init__(self, dim=64):
        super().__init__()
        self.dim = dim

    def forward(self, image):
        raise AssertionError("the batch brings its tokens")


def _fit(module, items, steps=3):
    trainer = quiet_trainer(max_steps=steps)
    trainer.fit(module, DataLoader(items, batch_size=2))
    return trainer


def _images(count=6):
    generator = torch.Generator().manual_seed(0)
    return [
        {key: torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8, generator=generator)
         for key in ("image", "positive_image")}
        for _ in range(count)
    ]  # fmt: skip


def test_fits_on_images_alone_and_leaves_the_backbone_as_it_was(backbone):
    torch.manual_seed(0)
    module = STEGOModule(partial(STEGOHead, dim=8), backbone)
    head = {key: value.clone() for key, value in module.head.state_dict().items()}
    frozen = {key: value.clone() for key, value in backbone.state_dict().items()}
    trainer = _fit(module, _images())
    assert {"loss", "loss_self", "loss_neighbour", "loss_random"} <= trainer.callback_metrics.keys()
    assert {"cosine_self", "cosine_neighbour", "cosine_random"} <= trainer.callback_metrics.keys()
    assert not any(torch.equal(value, head[key]) for key, value in module.head.state_dict().items())
    assert all(torch.equal(value, frozen[key]) for key, value in backbone.state_dict().items())


def test_tokens_in_the_batch_stand_in_for_the_backbone(backbone):
    images = _images(2)
    tokens = [
        {key.replace("image", "tokens"): backbone(image[None])[0].half() for key, image in item.items()}
        for item in images
    ]
    losses = []
    for source, items in ((backbone, images), (Silent(), tokens)):
        torch.manual_seed(0)
        module = STEGOModule(partial(STEGOHead, dim=8), source)
        losses.append(_fit(module, items, steps=1).callback_metrics["loss"])
    torch.testing.assert_close(*losses, rtol=1e-3, atol=1e-3)


def test_learning_tells_unlike_images_apart():
    torch.manual_seed(0)
    centres = torch.randn(2, 16, 1, 1)
    items = []
    for index in range(8):
        noise = 0.1 * torch.randn(2, 16, 4, 4)
        items.append({"tokens": centres[index % 2] + noise[0], "positive_tokens": centres[index % 2] + noise[1]})
    module = STEGOModule(partial(STEGOHead, dim=4), Silent(16), lr=1e-2)
    trainer = _fit(module, items, steps=150)
    assert trainer.callback_metrics["cosine_neighbour"] > 0.9
    assert trainer.callback_metrics["cosine_random"] < 0.2


def test_only_the_head_is_optimised_and_exported(backbone):
    module = STEGOModule(STEGOHead, backbone)
    assert module.export() is module.head
    optimised = {id(p) for group in module.configure_optimizers().param_groups for p in group["params"]}
    assert optimised == {id(p) for p in module.head.parameters()}
