from __future__ import annotations

import torch

from mars_pl.uss.stego.token_module import TokenModule


def test_crops_are_described_by_tokens_and_their_unit_mean(backbone, image):
    found = TokenModule(backbone).predict_step({"id": ["a@0", "a@1"], "image": image}, 0)
    assert found["id"] == ["a@0", "a@1"]
    assert torch.equal(found["tokens"], backbone(image))
    mean = backbone(image).flatten(2).mean(-1)
    torch.testing.assert_close(found["pooled"], mean / mean.norm(dim=1, keepdim=True))
