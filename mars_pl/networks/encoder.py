"""The convolutional encoder of a segmentation network: the feature maps of any timm model that it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import timm
from torch import Tensor, nn

from mars_pl.networks.caffe_layout import CAFFE_MEAN, CAFFE_STD, Layout, ceil_pooling, stride_in_first_convolution
from mars_pl.networks.dilation import dilate_first_blocks
from mars_pl.networks.normalise import Normalise
from mars_pl.training.weights import load_state, read_weights


class Encoder(nn.Module):
    """The low-level map (1/4 of the image) and the last map of a timm model.

    Args:
        name: timm name, e.g. ``resnet101``.
        output_stride: of the last map, 8 or 16: later stages are dilated.
        pretrained: take timm's ImageNet weights from its hub.
        weights: or a safetensors file of the whole timm model, with or without its classifier.
        frozen_stages: keep the stem and this many of the stages (at strides 4, 8, 16, 32 of the undilated model) as
            loaded: no gradient, running statistics; 0 trains everything. A frozen front costs no backward pass.
        options: further arguments of ``timm.create_model``.
        first_dilations: see ``dilate_first_blocks``; ``None`` keeps timm's.
        layout: of the weights, see ``stride_in_first_convolution``.
        ceil_mode: see ``ceil_pooling``.

    Raises:
        ValueError: where the weights are not this model's, it has no map at 1/4 or not so many stages, or is no ResNet
            and first dilations, Caffe's layout or its pool are asked for.
    """

    def __init__(
        self,
        name: str,
        output_stride: int,
        pretrained: bool = False,
        weights: str | None = None,
        frozen_stages: int = 0,
        options: Mapping[str, Any] | None = None,
        first_dilations: Sequence[int] | None = None,
        layout: Layout = "torchvision",
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        if layout not in get_args(Layout):
            raise ValueError(f"layout: one of {', '.join(get_args(Layout))}, not {layout!r}")
        if layout == "caffe" and pretrained and weights is None:
            raise ValueError(
                "layout: timm's hub has no weights of Caffe's; name a file that `mars weights import resnet-caffe` "
                "made as weights, or set layout to torchvision"
            )
        arguments = {"output_stride": output_stride, **(options or {})}
        stages = timm.create_model(name, features_only=True, **arguments).feature_info.get_dicts()
        low = [index for index, stage in enumerate(stages) if stage["reduction"] == 4]
        if not low:
            raise ValueError(
                f"{name}: no feature map at 1/4 of the image, which the decoder reads; take another encoder"
            )
        if not 0 <= frozen_stages <= len(stages) - low[0]:
            raise ValueError(f"frozen_stages: {name} has {len(stages) - low[0]} stages, not {frozen_stages} to freeze")
        self.features = timm.create_model(
            name,
            pretrained=pretrained and weights is None,
            features_only=True,
            out_indices=sorted({low[0], max(low[0], len(stages) - 2), len(stages) - 1}),
            **arguments,
        )
        if weights is not None:
            self._load(name, arguments, weights)
        if first_dilations is not None:
            dilate_first_blocks(self.features, first_dilations)
        if layout == "caffe":
            stride_in_first_convolution(self.features)
        if ceil_mode:
            ceil_pooling(self.features)
        self.low_level_channels, *_, self.channels = self.features.feature_info.channels()
        self._frozen: list[str] = []  # by name: sync batch norm replaces modules
        if frozen_stages:
            self._freeze(str(stages[low[0] + frozen_stages - 1]["module"]))
        self.train()  # Lightning keeps the modes it finds

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map normalised images (B, 3, H, W) to the map at 1/4 and the last one."""
        low_level, *_, last = self.features(image)
        return low_level, last

    def last_stages(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map the same to the map at 1/4, the last but one and the last."""
        maps = self.features(image)
        return maps[0], maps[-2], maps[-1]

    def train(self, mode: bool = True) -> Encoder:
        """Switch to training; what is frozen keeps its running statistics."""
        super().train(mode)
        for name in self._frozen:
            self.features.get_submodule(name).eval()
        return self

    def _load(self, name: str, arguments: Mapping[str, Any], weights: str) -> None:
        """Load a file of the whole timm model; every key of it must fit."""
        given = read_weights(weights)
        whole = timm.create_model(name, **arguments)
        if whole.state_dict().keys() - given.keys():
            headless = timm.create_model(name, num_classes=0, **arguments)
            head = whole.state_dict().keys() - headless.state_dict().keys()
            whole = whole if head & given.keys() else headless
        load_state(whole, given, weights)
        found = whole.state_dict()
        wanted = {key: key if key in found else _unflattened(key) for key in self.features.state_dict()}
        self.features.load_state_dict({key: found[origin] for key, origin in wanted.items()})

    def _freeze(self, last: str) -> None:
        """Freeze every module up to and including ``last``, in the order in which timm registers them."""
        names = [name for name, _ in self.features.named_modules()]
        prefix = next(name for name in names if last in (name, _unflattened(name)))
        within = [index for index, name in enumerate(names) if name == prefix or name.startswith(f"{prefix}.")]
        for name, module in list(self.features.named_modules())[: within[-1] + 1]:
            if name and not prefix.startswith(f"{name}."):  # not the containers that also hold later stages
                self._frozen.append(name)
                for parameter in module.parameters():
                    parameter.requires_grad_(False)


def _unflattened(key: str) -> str:
    """Name in the whole model, ``stages.0.…``, of what some of timm's feature extractors call ``stages_0.…``."""
    first, dot, rest = key.partition(".")
    return first.replace("_", ".", 1) + dot + rest


def encoder_normalise(
    name: str, mean: Sequence[float] | None, std: Sequence[float] | None, layout: Layout = "torchvision"
) -> Normalise:
    """Normalise for an encoder: by ``mean`` and ``std`` of RGB in [0, 1], by default those of its weights.

    Args:
        name: of the timm model.
        mean: ``None`` takes what timm records for ``name``, or Caffe's.
        std: likewise.
        layout: of the weights.

    Raises:
        ValueError: where one is left out and timm records none for ``name``.
    """
    if layout == "caffe":
        return Normalise(mean or CAFFE_MEAN, std or CAFFE_STD)
    if mean is None or std is None:
        configuration = timm.get_pretrained_cfg(name)
        if configuration is None:
            raise ValueError(f"{name}: timm records no mean and deviation for this encoder; give mean and std")
        mean, std = mean or configuration.mean, std or configuration.std
    return Normalise(mean, std)
