"""What becomes of one image's label where a network is sure of something else (ADELE's VOCTrainwsegDataset.py)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn

from mars_pl.segment.inference import multi_scale_probabilities

TEMPERATURE = 3.0
SCALES = (0.75, 1.0, 1.5)
THRESHOLD = 0.8


class Tempered(nn.Module):
    """A network whose logits are divided by a temperature.

    Args:
        network: maps images to logits.
        temperature: above 1 makes the softmax less sure.
    """

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, divided."""
        logits: Tensor = self.network(images)
        return logits / self.temperature


@torch.no_grad()
def tempered_probabilities(
    network: nn.Module,
    images: Tensor,
    scales: Sequence[float] = SCALES,
    flip: bool = False,
    temperature: float = TEMPERATURE,
) -> Tensor:
    """Return float32 (B, K, H, W), the softmax of the mean over scales of the logits divided by the temperature.

    Args:
        network: in evaluation mode.
        images: uint8 (B, 3, H, W).
        scales: of the image's sides.
        flip: add mirror images.
        temperature: of the softmax.
    """
    return multi_scale_probabilities(Tempered(network, temperature), images, scales, flip, average="logits")


def concerned(label: Tensor, corrected: Collection[int], num_classes: int) -> bool:
    """Tell whether a label is to be corrected: it shows a corrected class, or no class but background at all.

    Args:
        label: integers (H, W); codes of num_classes and above are no class.
        corrected: foreground classes whose early learning has ended.
        num_classes: background counted.
    """
    shown = _shown(label, num_classes)
    return bool(corrected) and (not shown or bool(shown & set(corrected)))


def correct_label(
    label: Tensor, probabilities: Tensor, corrected: Collection[int], threshold: float = THRESHOLD
) -> Tensor:
    """Replace a label where the prediction is another class with a probability above ``threshold``.

    An image is corrected where its label shows one of the corrected classes, or nothing but background. Its pixels turn
    into background or a corrected class, of those that the label shows; of an image of background alone, into any
    corrected one. A label that would lose more than half of its foreground, so that less than a twentieth of the image
    is left, stays.

    Args:
        label: integers (H, W); codes of K and above (ignored, biased) are no class.
        probabilities: (K, H, W), background first.
        corrected: foreground classes whose early learning has ended.
        threshold: of the highest probability.

    Returns:
        int64 (H, W), a new tensor.

    Raises:
        ValueError: where the two are not of one size.
    """
    if label.shape != probabilities.shape[1:]:
        raise ValueError(f"label: (H, W) of the prediction, {tuple(probabilities.shape[1:])}, not {tuple(label.shape)}")
    label = label.long().clone()
    if not concerned(label, corrected, len(probabilities)):
        return label
    shown, due = _shown(label, len(probabilities)), set(corrected)
    allowed = torch.zeros(len(probabilities), dtype=torch.bool, device=label.device)
    allowed[[0, *sorted(shown & due if shown else due)]] = True
    if shown and not bool((label == 0).any()):  # background that the label does not show is no class of it either
        allowed[0] = False
    certainty, predicted = probabilities.max(dim=0)
    changed = torch.where((predicted != label) & allowed[predicted] & (certainty > threshold), predicted, label)
    before, after = int((label != 0).sum()), int((changed != 0).sum())
    lost = after < 0.5 * before and after < 0.05 * label.numel()
    return label if lost else changed


def _shown(label: Tensor, num_classes: int) -> set[int]:
    return set(label.unique().tolist()) & set(range(1, num_classes))
