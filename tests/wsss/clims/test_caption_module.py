import math

import pytest
import torch
import torch.nn.functional as F

from mars_pl.wsss.clims.caption_module import LARGEST_SCALE, CaptionModule

CAPTIONS = ["a photo of a boat.", "a photo of a sheep and a meadow.", "a photo of a sea."]


def make(tiny, **options):
    torch.manual_seed(0)
    module = CaptionModule(tiny, **options)
    module.logged = {}
    module.log_dict = lambda values, **_: module.logged.update({name: value.item() for name, value in values.items()})
    return module


def batch():
    generator = torch.Generator().manual_seed(1)
    image = torch.randint(0, 256, (3, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return {"id": ["a", "b", "c"], "image": image, "caption": CAPTIONS}


def test_the_loss_asks_for_each_ones_partner_both_ways(tiny):
    module = make(tiny)
    loss = module.training_step(batch(), 0)
    clip = module.network
    pictures = F.normalize(clip.encode_image(module.normalise(batch()["image"])), dim=1)
    captions = F.normalize(clip.encode_text(module.tokens(CAPTIONS)), dim=1)
    logits = clip.logit_scale.exp() * pictures @ captions.T
    own = torch.arange(3)
    assert loss.item() == pytest.approx((F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)).item() / 2)
    assert module.logged["train/loss"] == pytest.approx(loss.item())
    assert module.logged["train/scale"] == pytest.approx(1 / 0.07, rel=1e-4)


def test_pictures_find_their_captions_after_some_steps(tiny):
    module = make(tiny)
    optimizer = torch.optim.AdamW(module.parameter_groups(), lr=3e-3)
    losses = []
    for _ in range(40):
        loss = module.training_step(batch(), 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 < losses[0]


def test_the_scale_of_the_logits_stays_between_one_and_a_hundred(tiny):
    module = make(tiny)
    for value, kept in ((9.0, LARGEST_SCALE), (-1.0, 0.0), (2.0, 2.0)):
        torch.nn.init.constant_(module.network.logit_scale, value)
        module.on_before_zero_grad(None)
        assert module.network.logit_scale.item() == pytest.approx(kept)
    assert math.exp(LARGEST_SCALE) == pytest.approx(100)


def test_vectors_and_numbers_are_spared_the_decay(tiny):
    module = make(tiny)
    decayed, spared = module.parameter_groups()
    assert "weight_decay" not in decayed and spared["weight_decay"] == 0
    assert all(parameter.ndim >= 2 for parameter in decayed["params"])
    assert any(parameter is module.network.logit_scale for parameter in spared["params"])
    assert len(decayed["params"]) + len(spared["params"]) == len(list(module.network.parameters()))
