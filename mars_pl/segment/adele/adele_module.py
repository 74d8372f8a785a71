"""Lightning glue of ADELE: a segmentation module that learns from crops at several scales and their consistency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mars_pl.networks.aspp import resize
from mars_pl.segment.adele.consistency import MultiScaleConsistency
from mars_pl.segment.segmentation_module import SegmentationModule


class ADELEModule(SegmentationModule):
    """Trains a network on labels that the callback ``CorrectLabels`` corrects, with a multi-scale consistency loss.

    Args:
        network: see ``SegmentationModule``; of one that returns a list while training the last is its prediction.
        num_classes: likewise.
        training_scales: of the crops (ADELE: 1, .7, 1.5), 1 first.
        least_certain: see ``MultiScaleConsistency``.
        consistency_weight: of that loss beside the cross entropies of all scales.
        options: see ``SegmentationModule``.

    Attributes:
        predicted: int64 (B, H, W), the mask of the last batch at scale 1, for who counts it.

    Raises:
        ValueError: where the first scale is not 1, or the options name a mixing.
    """

    def __init__(
        self,
        network: Callable[[int], nn.Module],
        num_classes: int,
        training_scales: Sequence[float] = (1.0, 0.7, 1.5),
        least_certain: float = 0.8,
        consistency_weight: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(network, num_classes, **options)
        if not training_scales or training_scales[0] != 1:
            raise ValueError(f"training_scales: the first is 1, the crop as it is, not {list(training_scales)}")
        if self.mixing is not None:
            raise ValueError("mixing: train=adele counts masks of whole images to correct their labels; leave it out")
        self.training_scales, self.consistency_weight = tuple(training_scales), consistency_weight
        self.consistency = MultiScaleConsistency(len(self.training_scales), least_certain)
        self.predicted: Tensor | None = None

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Cross entropy of each scale's logits, multiplied with its share, and their consistency."""
        label, weight = self._target(batch)
        every = [self._outputs(batch["image"], scale) for scale in self.training_scales]
        entropy = torch.stack(
            [
                self.loss(share * logits, label, weight)
                for share, outputs in zip(self.consistency.shares(), every, strict=True)
                for logits in outputs
            ]
        ).sum()
        maps = [resize(outputs[-1].float(), label.shape[-2:]) for outputs in every]
        consistency = self.consistency(maps, label != self.ignore_index)
        self.predicted = maps[0].detach().max(dim=1).indices
        loss = entropy + self.consistency_weight * consistency
        self.log_training(batch, prog_bar=True, loss=loss)
        self.log_training(batch, entropy=entropy, consistency=consistency)
        return loss

    def _outputs(self, images: Tensor, scale: float) -> list[Tensor]:
        if scale != 1:
            images = resize(images.float(), [round(side * scale) for side in images.shape[-2:]])
        outputs = self.network(images)
        return outputs if isinstance(outputs, list) else [outputs]

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let the shares of the scales learn too, without decay."""
        return [*super().parameter_groups(), {"params": [self.consistency.weights], "weight_decay": 0.0}]
