"""A training step of STEGO as it was published, and ours on the same crops: from images, and from stored tokens.

The published one asks the backbone twice, for crops and for their neighbours, in single precision and with attention
written out, and takes the whole loss with random negatives by its own permutation (STEGO, src/modules.py and
train_segmentation.py). Its two probes, which only watch, are left out: with them it would take longer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.stego.head import STEGOHead
from mars_pl.uss.stego.stego_module import STEGOModule
from tests.benchmarks.subjects import DEVICE, Subject

NAME, CROPS = ("vit_base_patch8_224.dino", 32) if DEVICE == "cuda" else ("vit_small_patch8_224.dino", 4)
"""The recipe's backbone and batch on a GPU; on a processor ViT-S/8 and a quarter of its batch. Weights are random."""

HALF = torch.float16 if DEVICE == "cuda" else torch.bfloat16
"""What `trainer=gpu` and `trainer=cpu_bf16` compute in."""

WEIGHTS, SHIFTS = (0.1, 1.0, 0.1538), (0.12, 0.20, 1.0)
"""Of an image with itself, with a neighbour, with random negatives: train_config.yml, "Cocostuff27 10/3 vit_base"."""

NEGATIVES, POINTS, DROPOUT, RATE = 5, 11, 0.1, 5e-4


def stego_step_published() -> Subject:
    """A training step of STEGO as published: crops of 224 and a neighbour of each, two passes, single precision."""
    if DEVICE == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32, which PyTorch took by itself in STEGO's days
    module = _module()
    write_attention_out(module.backbone)
    head = cast(STEGOHead, module.head)
    return _steps(module, lambda batch: published_loss(module.backbone, head, batch), _images())


def stego_step() -> Subject:
    """The same by our module in single precision."""
    module = _module()
    return _steps(module, lambda batch: module.training_step(batch, 0), _images())


def stego_step_half() -> Subject:
    """The same in the mixed precision of our trainers."""
    module = _module()
    return _steps(module, lambda batch: module.training_step(batch, 0), _images(), HALF)


def stego_step_tokens() -> Subject:
    """The same from stored tokens (`tokens=true`), which spare the backbone, in single precision."""
    module = _module()
    return _steps(module, lambda batch: module.training_step(batch, 0), _tokens(module))


def published_loss(
    backbone: nn.Module, head: STEGOHead, batch: dict[str, Tensor], partner: Callable[[int], Tensor] | None = None
) -> Tensor:
    """The loss of a published step, dropout of channels included; draws in the order in which ours does.

    Args:
        backbone: images to tokens.
        head: whose layers are taken; its dropout is done here.
        batch: ``image`` and ``positive_image``.
        partner: draws whom each image of a batch is compared with; STEGO's permutation by default.
    """
    partner = partner or super_permutation
    features, code = _network(backbone, head, batch["image"])
    positive, positive_code = _network(backbone, head, batch["positive_image"])
    size = (len(features), POINTS, POINTS, 2)
    first, second = (2 * torch.rand(size, device=features.device) - 1 for _ in range(2))
    here, here_code = _sample(features, first), _sample(code, first)
    intra = _term(here, here, here_code, here_code, SHIFTS[0])
    inter = _term(here, _sample(positive, second), here_code, _sample(positive_code, second), SHIFTS[1])
    negative = []
    for _ in range(NEGATIVES):
        other = partner(len(features)).to(features.device)
        other_code = _sample(code[other], second)
        negative.append(_term(here, _sample(features[other], second), here_code, other_code, SHIFTS[2]))
    return WEIGHTS[0] * intra + WEIGHTS[1] * inter + WEIGHTS[2] * torch.stack(negative).mean()


def super_permutation(size: int) -> Tensor:
    """A random order whose fixed points are moved on by one."""
    order = torch.randperm(size)
    order[order == torch.arange(size)] += 1
    return order % size


def write_attention_out(backbone: nn.Module) -> None:
    """Take softmax(q·kᵀ)·v in steps, the matrix of all pairs of tokens held, as DINO's code does."""
    for part in backbone.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = False


def _network(backbone: nn.Module, head: STEGOHead, image: Tensor) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        tokens = backbone(image)
    features = F.dropout2d(tokens, DROPOUT)
    code = head.linear(F.dropout2d(tokens, DROPOUT))
    code = code + head.nonlinear(F.dropout2d(tokens, DROPOUT))
    return features, code


def _sample(maps: Tensor, places: Tensor) -> Tensor:
    return F.grid_sample(maps, places.permute(0, 2, 1, 3), padding_mode="border", align_corners=True)


def _term(features: Tensor, other_features: Tensor, code: Tensor, other_code: Tensor, shift: float) -> Tensor:
    with torch.no_grad():
        agreement = _cosines(features, other_features)
        before = agreement.mean()
        agreement = agreement - agreement.mean([3, 4], keepdim=True)
        agreement = agreement - agreement.mean() + before
    return (-_cosines(code, other_code).clamp(0) * (agreement - shift)).mean()


def _cosines(first: Tensor, second: Tensor) -> Tensor:
    first, second = (F.normalize(maps, dim=1, eps=1e-10) for maps in (first, second))
    return torch.einsum("nchw,ncij->nhwij", first, second)


def _module() -> STEGOModule:
    module = STEGOModule(partial(STEGOHead, dim=70), FrozenViT(NAME), lr=RATE)
    cast(Any, module).log_dict = lambda *_, **__: None  # there is no trainer
    return module.to(DEVICE).train()


def _images() -> dict[str, Tensor]:
    def crops() -> Tensor:
        broad = torch.rand(CROPS, 3, 7, 7, device=DEVICE) * 255
        return F.interpolate(broad, (224, 224), mode="bilinear").to(torch.uint8)

    return {"image": crops(), "positive_image": crops()}


def _tokens(module: STEGOModule) -> dict[str, Tensor]:
    return {name.replace("image", "tokens"): module.backbone(image).half() for name, image in _images().items()}


def _steps(
    module: STEGOModule,
    loss: Callable[[dict[str, Tensor]], Tensor],
    batch: dict[str, Tensor],
    precision: torch.dtype | None = None,
) -> Subject:
    optimizer = torch.optim.Adam(module.head.parameters(), lr=RATE)

    def step() -> float:
        optimizer.zero_grad()
        with torch.autocast(DEVICE, precision) if precision else nullcontext():
            found = loss(batch)
        found.backward()
        optimizer.step()
        return found.item()  # waits for a GPU

    return step
