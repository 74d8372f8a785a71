"""Optimiser steps of every kind of fit on the same batches, in float32 or by CPU autocast in half precision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn
from torch.amp import GradScaler
from torch.optim import SGD

from mars_pl.networks.intermediate_features import TimmIntermediateFeatures
from mars_pl.networks.wide_resnet38 import WideResNet38
from mars_pl.segment.complement import Complement
from mars_pl.segment.deeplab_dhr import DHRDeepLabV1, DHRDeepLabV2
from mars_pl.segment.deeplabv1 import DeepLabV1
from mars_pl.segment.deeplabv2 import DeepLabV2
from mars_pl.segment.deeplabv3plus import DeepLabV3Plus
from mars_pl.segment.segmentation_module import SegmentationModule
from mars_pl.uss.backbone import FrozenViT
from mars_pl.uss.leopart.head import LeopartHead
from mars_pl.uss.leopart.leopart_module import LeopartModule
from mars_pl.uss.stego.head import STEGOHead
from mars_pl.uss.stego.stego_module import STEGOModule
from mars_pl.wsss.cam.classification_module import ClassificationModule
from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.irn.irn_module import IRNModule
from mars_pl.wsss.irn.network import IRNetwork
from mars_pl.wsss.psa.affinity_module import AffinityModule
from mars_pl.wsss.psa.affinity_net import AffinityNet
from mars_pl.wsss.rsepm.network import SingleStageNetwork
from mars_pl.wsss.rsepm.seed_source import SeedSource
from mars_pl.wsss.rsepm.single_stage_module import SingleStageModule
from mars_pl.wsss.seam.network import SEAM
from mars_pl.wsss.seam.seam_module import SEAMModule

CLASSES, BIASED, SIDE = 4, 254, 64
SEGMENT = {"complement": Complement(), "loss_size": "logits"}


def three_maps(**options) -> TimmIntermediateFeatures:
    return TimmIntermediateFeatures("test_resnet", frozen_batch_norm=False, **options)


def wide() -> WideResNet38:
    return WideResNet38(frozen_front=False, frozen_batch_norm=False)


def segmenter(network, **options) -> SegmentationModule:
    return SegmentationModule(lambda _: network, CLASSES, **{**SEGMENT, **options})


def v3plus(encoder) -> DeepLabV3Plus:
    return DeepLabV3Plus(CLASSES, encoder, 8, aspp_channels=32, decoder_channels=32, low_level_channels=8)


SMALL = {
    "CAM": lambda: ClassificationModule(lambda c: CAMClassifier(c, "test_resnet", frozen_batch_norm=False), CLASSES),
    "SEAM": lambda: SEAMModule(partial(SEAM, backbone=three_maps()), CLASSES, view_scale=0.5),
    "IRN": lambda: IRNModule(partial(IRNetwork, backbone="test_resnet"), CLASSES, radius=3),
    "AffinityNet": lambda: AffinityModule(AffinityNet(three_maps()), radius=3),
    "RS+EPM": lambda: SingleStageModule(
        lambda c: SingleStageNetwork(c, "test_resnet", channels=16, low_level_channels=8), CLASSES, SeedSource()
    ),
    "STEGO": lambda: STEGOModule(partial(STEGOHead, dim=16), FrozenViT("test_vit")),
    "Leopart": lambda: LeopartModule(FrozenViT("test_vit"), LeopartHead, queue=64),
    "DeepLabv1": lambda: segmenter(DeepLabV1(CLASSES, three_maps(), channels=32), loss_size="image"),
    "DeepLabv2": lambda: segmenter(DeepLabV2(CLASSES, "test_resnet", frozen_batch_norm=False)),
    "DeepLabv3+": lambda: segmenter(v3plus("test_resnet")),
    "DHR's DeepLabv1": lambda: segmenter(DHRDeepLabV1(CLASSES, three_maps(), channels=32)),
    "DHR's DeepLabv2": lambda: segmenter(DHRDeepLabV2(CLASSES, "test_resnet")),
}
"""Every module by its name, on networks of timm's tests."""

PUBLISHED = {
    "CAM, ResNet-50": lambda: ClassificationModule(
        lambda c: CAMClassifier(c, "resnet50", frozen_batch_norm=False), CLASSES
    ),
    "SEAM, Wide ResNet-38": lambda: SEAMModule(partial(SEAM, backbone=wide()), CLASSES, view_scale=0.5),
    "IRN, ResNet-50": lambda: IRNModule(partial(IRNetwork, backbone="resnet50"), CLASSES, radius=3),
    "AffinityNet, Wide ResNet-38": lambda: AffinityModule(AffinityNet(wide()), radius=3),
    "RS+EPM, ResNet-50": lambda: SingleStageModule(lambda c: SingleStageNetwork(c, "resnet50"), CLASSES, SeedSource()),
    "STEGO, ViT-S/8": lambda: STEGOModule(partial(STEGOHead, dim=70), FrozenViT("vit_small_patch8_224.dino")),
    "Leopart, ViT-S/16": lambda: LeopartModule(FrozenViT("vit_small_patch16_224.dino"), LeopartHead, queue=64),
    "DeepLabv1, Wide ResNet-38": lambda: segmenter(DeepLabV1(CLASSES, wide()), loss_size="image"),
    "DeepLabv2, ResNet-50": lambda: segmenter(DeepLabV2(CLASSES, "resnet50", frozen_batch_norm=False)),
    "DeepLabv3+, ResNet-50": lambda: segmenter(v3plus("resnet50")),
}
"""The networks of the recipes, from random weights."""


def batches(count: int, size: int = 2) -> list[dict]:
    """Crops of bright squares whose colour tells the class, with whatever the modules read."""
    found = []
    for step in range(count):
        generator = torch.Generator().manual_seed(step)
        image = torch.randint(0, 120, (size, 3, SIDE, SIDE), dtype=torch.uint8, generator=generator)
        label, classes = torch.zeros(size, SIDE, SIDE, dtype=torch.int64), torch.zeros(size, CLASSES - 1)
        for index in range(size):
            which = (step + index) % (CLASSES - 1)
            image[index, which, 12:48, 16:52] += 120
            label[index, 12:48, 16:52], classes[index, which] = which + 1, 1
        label[:, 12:20, 16:52] = BIASED
        unsure = torch.where(label == BIASED, 255, label)
        cells = F.avg_pool2d(F.one_hot(label.clamp(max=CLASSES) % CLASSES, CLASSES).movedim(-1, 1).float(), 8)
        found.append(
            {
                "id": [f"{step}-{index}" for index in range(size)],
                "image": image,
                "positive_image": image.roll(1, 0),
                "label": label,
                "unsure": unsure,
                "competing": torch.stack([cells, cells], dim=1),
                "classes": classes,
                "valid": torch.ones(size, SIDE, SIDE, dtype=torch.bool),
                "global_crops": torch.stack([image, F.interpolate(image[..., 16:, 16:], (SIDE, SIDE))], dim=1),
                "local_crops": image[:, None, :, 8:40, 8:40],
                "crop_boxes": torch.tensor([[0, 0, 64, 64], [16, 16, 64, 64], [8, 8, 40, 40]])
                .float()
                .repeat(size, 1, 1),
            }
        )
    return found


@dataclass
class Course:
    """What the steps of one fit showed.

    Attributes:
        losses: of each step.
        norms: of all gradients together, unscaled; infinite where the step was skipped.
        skipped: steps that the scaler left out.
        largest: magnitude that a module gave.
    """

    losses: list[float]
    norms: list[float]
    skipped: int
    largest: float


def course(make, steps: int, half: torch.dtype | None) -> Course:
    """Fit a new module for some steps; every random number is the same in every precision."""
    torch.manual_seed(0)
    module = make().train()
    module.log = module.log_dict = lambda *values, **options: None
    module._trainer = SimpleNamespace(current_epoch=0, max_epochs=30, barebones=False, world_size=1)
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = SGD(learning, lr=1e-3, momentum=0.9)
    scaler = GradScaler("cpu", enabled=half is torch.float16)
    found, largest = Course([], [], 0, 0.0), [0.0]

    def look(part: nn.Module, given: object, gave: object) -> None:
        for one in gave if isinstance(gave, tuple | list) else [gave]:  # a residual block gives its stream so
            if isinstance(one, torch.Tensor) and one.is_floating_point():
                largest[0] = max(largest[0], one.detach().abs().amax().item())

    for part in module.modules():
        part.register_forward_hook(look)
    for step, batch in enumerate(batches(steps)):
        torch.manual_seed(step)
        if isinstance(module, IRNModule):
            batch["label"] = batch["unsure"]
        with torch.autocast("cpu", half or torch.bfloat16, enabled=half is not None):
            loss = module.training_step(batch, step)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        found.losses.append(loss.item())
        found.norms.append(nn.utils.clip_grad_norm_(learning, math.inf).item())
        before = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        found.skipped += scaler.get_scale() < before
    found.largest = largest[0]
    return found
