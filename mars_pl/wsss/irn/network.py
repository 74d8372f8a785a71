"""IRNet's network: two light branches on the frozen feature maps of a classifier (net/resnet50_irn.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mars_pl.networks.normalise import IMAGENET_MEAN, IMAGENET_STD
from mars_pl.training.weights import load_weights
from mars_pl.wsss.cam.classifier import CAMClassifier

STRIDE = 4
"""Of the edge map and the displacement field."""


def branch(inputs: int, outputs: int, groups: int, factor: int = 1, epsilon: float = 1e-5) -> nn.Sequential:
    """A 1×1 convolution with group norm and ReLU, enlarged before the ReLU; its published keys are ``0`` and ``1``."""
    enlarge = [nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=False)] if factor > 1 else []
    convolution = nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)
    return nn.Sequential(convolution, nn.GroupNorm(groups, outputs, epsilon), *enlarge, nn.ReLU(inplace=True))


class IRNetwork(nn.Module):
    """Class boundaries and displacements from five feature maps, none of whose gradients reach the backbone.

    The maps are the stem's after max pooling and those of the four stages, at strides 4, 4, 8, 16, 16 (IRNet). The
    branches have published names and widths; the channels they read follow the backbone.

    Args:
        num_classes: including the background; the classifier has them, the branches do not depend on them.
        backbone: timm name of a network with a map at half the image's size, e.g. a ResNet.
        pretrained: take timm's ImageNet weights from its hub.
        weights: or a safetensors file of the timm model, its ImageNet classifier included.
        classifier_weights: or what the fit of a `CAMClassifier` on this backbone left.
        output_stride: of the last stage, 16 or 8.
        dilated: dilate what follows a stride that was taken out, as timm does; IRNet does not.
        displacement: with the displacement branch. It shares nothing with the edge branch, which is all that semantic
            labels use; without it a fit is shorter and leaves the same edges.
        norm_epsilon: of the edge branch's group norms; RS+EPM has 1e-3.
        backbone_options: further arguments of ``timm.create_model``.
        mean: of RGB in [0, 1], as the backbone was trained.
        std: likewise.

    Raises:
        ValueError: where the backbone has not five maps at the wanted strides.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str,
        pretrained: bool = False,
        weights: str | None = None,
        classifier_weights: str | None = None,
        output_stride: int = 16,
        dilated: bool = True,
        displacement: bool = True,
        norm_epsilon: float = 1e-5,
        backbone_options: Mapping[str, Any] | None = None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        classifier = CAMClassifier(
            num_classes,
            backbone,
            pretrained=pretrained,
            weights=weights,
            output_stride=output_stride,
            dilated=dilated,
            backbone_options=backbone_options,
            mean=mean,
            std=std,
        )
        if classifier_weights is not None:
            load_weights(classifier, classifier_weights)
        self.normalise, self.backbone = classifier.normalise, classifier.backbone.requires_grad_(False)
        channels, strides = self._probe()
        if len(strides) != 5 or strides[:2] != [STRIDE, STRIDE] or any(stride % STRIDE for stride in strides):
            raise ValueError(f"{backbone}: has maps at strides {strides}, not 4, 4 and three more; take a ResNet")
        factors = [stride // STRIDE for stride in strides]
        for level, (inputs, factor) in enumerate(zip(channels, factors, strict=True), start=1):
            self.add_module(f"fc_edge{level}", branch(inputs, 32, 4, factor, norm_epsilon))
        self.fc_edge6 = nn.Conv2d(5 * 32, 1, kernel_size=1)
        self.has_displacement = displacement
        if displacement:
            middle = factors[2]
            widths = ((64, 8), (128, 16), (256, 16), (256, 16), (256, 16))
            for level, (inputs, factor, width) in enumerate(zip(channels, factors, widths, strict=True), start=1):
                self.add_module(f"fc_dp{level}", branch(inputs, *width, max(factor // middle, 1)))
            self.fc_dp6 = branch(3 * 256, 256, 16, middle)
            self.fc_dp7 = nn.Sequential(*branch(64 + 128 + 256, 256, 16), nn.Conv2d(256, 2, kernel_size=1, bias=False))
        self.train()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map uint8 images (B, 3, H, W) to edge logits (B, h, w) and displacements (B, 2, h, w).

        Displacements go down and right, in cells. The grid has as many cells as strides of 4 begin in the image.
        Without its branch the displacement is None.
        """
        maps = self._maps(self.normalise(image))
        return self._edge(maps), self._displacement(maps) if self.has_displacement else None

    def edge(self, image: Tensor, crop_size: int | None = None) -> Tensor:
        """Return the edge logits (B, h, w) alone.

        Args:
            image: uint8 (B, 3, H, W).
            crop_size: shorter sides are padded to it with zeros, to the right and below and after normalisation; the
                cells of the padding are cut off again. None looks at the image as it is.
        """
        normalised = self.normalise(image)
        height, width = image.shape[-2:]
        if crop_size is not None:
            normalised = F.pad(normalised, (0, max(crop_size - width, 0), 0, max(crop_size - height, 0)))
        return self._edge(self._maps(normalised))[:, : -(-height // STRIDE), : -(-width // STRIDE)]

    def edge_parameters(self) -> list[nn.Parameter]:
        """Parameters of the edge branch."""
        return [value for name, value in self.named_parameters() if name.startswith("fc_edge")]

    def displacement_parameters(self) -> list[nn.Parameter]:
        """Parameters of the displacement branch; none without it."""
        return [value for name, value in self.named_parameters() if name.startswith("fc_dp")]

    def train(self, mode: bool = True) -> IRNetwork:
        """Switch to training; the backbone stays in evaluation."""
        super().train(mode)
        self.backbone.eval()
        return self

    def _edge(self, maps: Sequence[Tensor]) -> Tensor:
        return self.fc_edge6(torch.cat(self._branches("edge", maps, maps[0]), dim=1))[:, 0]

    def _displacement(self, maps: Sequence[Tensor]) -> Tensor:
        first, second, *deeper = self._branches("dp", maps, maps[2])
        deep = self.fc_dp6(torch.cat(deeper, dim=1))
        return self.fc_dp7(torch.cat([first, second, _cut(deep, second)], dim=1))

    def _branches(self, name: str, maps: Sequence[Tensor], like: Tensor) -> list[Tensor]:
        """Run the five branches; from the third on, where an enlarged map may overhang, they are cut to ``like``."""
        found = [self.get_submodule(f"fc_{name}{level}")(features) for level, features in enumerate(maps, start=1)]
        return [*found[:2], *(_cut(features, like) for features in found[2:])]

    @torch.no_grad()
    def _maps(self, normalised: Tensor) -> list[Tensor]:
        stem, *stages = self.backbone.forward_intermediates(normalised, intermediates_only=True)
        return [F.max_pool2d(stem, kernel_size=3, stride=2, padding=1), *stages]

    def _probe(self) -> tuple[list[int], list[int]]:
        """Channels and strides of the five maps."""
        self.backbone.eval()
        maps = self._maps(torch.zeros(1, 3, 64, 64))
        return [features.shape[1] for features in maps], [64 // features.shape[-1] for features in maps]


def _cut(features: Tensor, like: Tensor) -> Tensor:
    return features[..., : like.shape[-2], : like.shape[-1]]
