"""Complementing debiased labels: the teacher fills biased pixels, its certainty weighs them (§3.4, Eq. 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mars_pl.networks.aspp import resize
from mars_pl.refine.protocol import Refine
from mars_pl.segment.batch_check import check_batch

Certain = Literal["paper", "none", "background", "removal"]
"""Named rules for the weight of a filled pixel; see ``Complement``."""


def restrict(probabilities: Tensor, classes: Tensor) -> Tensor:
    """Zero the channels of (B, K, H, W) that are neither background nor of the image's ``classes``, (B, K − 1)."""
    present = torch.cat([torch.ones_like(classes[:, :1]), classes], dim=1) > 0
    return probabilities * present[:, :, None, None]


def shares(maps: Tensor) -> Tensor:
    """Divide (B, K, H, W) by their sum over the channels; a pixel at which all are zero stays zero.

    A refinement cuts off what is nearly impossible (a dense CRF below 1e-5), so it is to see how the possible classes
    share a pixel, and not how much of the softmax went to others.
    """
    return maps / maps.sum(dim=1, keepdim=True).clamp(min=torch.finfo(maps.dtype).tiny)


def certain_mask(probabilities: Tensor, classes: Tensor, biased: Tensor, include_background: bool = False) -> Tensor:
    """Weigh biased pixels by the teacher's certainty, all others by 1 (Eq. 6).

    Args:
        probabilities: the teacher's softmax P̂, (B, K, H, W), background first, not refined.
        classes: the image labels L, (B, K − 1).
        biased: bool (B, H, W), where Yᵈᵇ = −1.
        include_background: let the maximum run over background too; Eq. 6 has the image's foreground classes alone.

    Returns:
        W in [0, 1], (B, H, W), of the type of ``probabilities``.
    """
    first = 0 if include_background else 1
    certainty = restrict(probabilities, classes)[:, first:].amax(dim=1)
    return torch.where(biased, certainty, torch.ones_like(certainty))


def teacher_label(
    images: Tensor,
    probabilities: Tensor,
    classes: Tensor,
    refine: Callable[[Tensor, Tensor], Tensor] | None = None,
    size: Sequence[int] | None = None,
) -> Tensor:
    """Return Yᵗᵉ, int64: the argmax of P̂ among background and the image's classes, which share each pixel, refined.

    Args:
        images: uint8 (B, 3, H, W).
        probabilities: P̂, float32 (B, K, H, W), background first.
        classes: the image labels L, (B, K − 1).
        refine: R; ``None`` leaves the probabilities as they are.
        size: of the result where it is not H × W.
    """
    possible = shares(restrict(probabilities, classes))
    if refine is not None:
        possible = refine(images, possible)
    # max's indices: on a CPU argmax over the channels takes 15 times as long
    return (possible if size is None else resize(possible, size)).max(dim=1).indices


def complemented_label(label: Tensor, teacher: Tensor, biased_index: int) -> Tensor:
    """Return Yᶜᵒ: ``label`` (B, H, W) with its biased pixels replaced by those of ``teacher`` (B, H, W)."""
    return torch.where(label == biased_index, teacher, label)


def taught_removal(teacher: Tensor, certainty: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Fill and weight by the rule ``removal``: background with weight 1, unless the teacher insists on an image class.

    Args:
        teacher: Yᵗᵉ, int64 (B, H, W).
        certainty: the teacher's highest probability among the image's foreground classes, (B, H, W).
        threshold: it insists where Yᵗᵉ is foreground and its certainty above this.
    """
    restored = (teacher > 0) & (certainty > threshold)
    return torch.where(restored, teacher, 0), torch.where(restored, certainty, torch.ones_like(certainty))


class Complement(nn.Module):
    """Turns debiased labels into complemented labels Yᶜᵒ and certain masks W.

    Args:
        refine: R, applied inside each crop's valid box and to images with biased pixels only; ``None`` leaves it out.
        certain: the weight of a filled pixel. ``paper``: Eq. 6 to the letter, the highest probability among the image's
            foreground classes, so that a pixel which the teacher calls background weighs next to nothing. ``none``: 1
            (Table 6, row 2). ``background``: the maximum runs over background too. ``removal``: see ``threshold``.
        threshold: for ``removal``: a biased pixel is background with weight 1 unless the teacher gives one of the
            image's classes more than this, and then it is that class with this probability as weight. 1 never restores.
        stride: work at 1/stride of the crop's size; P̂ of a DeepLab has no more detail than 1/4.
    """

    def __init__(
        self, refine: Refine | None = None, certain: Certain = "paper", threshold: float = 0.5, stride: int = 1
    ) -> None:
        super().__init__()
        if certain not in get_args(Certain):
            raise ValueError(f"certain: one of {', '.join(get_args(Certain))}, not {certain!r}")
        self.refine, self.certain, self.threshold, self.stride = refine, certain, threshold, stride

    def forward(
        self,
        images: Tensor,
        logits: Tensor,
        label: Tensor,
        classes: Tensor,
        biased_index: int,
        valid: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return Yᶜᵒ, int64 (B, H, W), and W, float32 (B, H, W); images without biased pixels stay as they are.

        Args:
            images: uint8 (B, 3, H, W).
            logits: of the teacher, (B, K, h, w), any size.
            label: Yᵈᵇ, int64 (B, H, W).
            classes: L, (B, K − 1).
            biased_index: its code of biased pixels.
            valid: bool (B, H, W), False where a crop was padded; ``None`` is all valid.

        Raises:
            ValueError: where a shape or a type is another.
        """
        check_batch(images, logits, label, classes)
        rows = (label == biased_index).flatten(1).any(dim=1).nonzero().flatten()
        filled, weight = label.long().clone(), torch.ones(label.shape, dtype=torch.float32, device=label.device)
        if len(rows):  # the others are spared the refinement
            within = None if valid is None else valid[rows]
            filled[rows], weight[rows] = self._fill(
                images[rows], logits[rows], label[rows], classes[rows], biased_index, within
            )
        return filled, weight

    def _fill(
        self, images: Tensor, logits: Tensor, label: Tensor, classes: Tensor, biased_index: int, valid: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Fill and weigh images that have biased pixels."""
        size = label.shape[-2:]
        reduced = [-(-side // self.stride) for side in size]
        probabilities = resize(logits.float(), reduced).softmax(dim=1)
        pictures = images if self.stride == 1 else resize(images.float(), reduced).round().to(torch.uint8)
        refine = None if self.refine is None else partial(refine_within, self.refine, valid=valid, stride=self.stride)
        teacher = teacher_label(pictures, probabilities, classes, refine, size)
        biased = label == biased_index
        weight = certain_mask(resize(probabilities, size), classes, biased, self.certain == "background")
        if self.certain == "none":
            weight = torch.ones_like(weight)
        elif self.certain == "removal":
            teacher, taught = taught_removal(teacher, weight, self.threshold)
            weight = torch.where(biased, taught, weight)
        return complemented_label(label, teacher, biased_index), weight


def refine_within(
    refine: Refine, images: Tensor, probabilities: Tensor, valid: Tensor | None = None, stride: int = 1
) -> Tensor:
    """Refine each image inside its own valid box; images that share a box go together.

    Args:
        refine: R.
        images: uint8 (B, 3, h, w).
        probabilities: (B, K, h, w).
        valid: bool (B, H, W), False where a crop was padded; ``None`` is all valid.
        stride: H / h.
    """
    boxes: dict[tuple[int, int, int, int], list[int]] = {}
    for index in range(len(images)):
        box = (0, images.shape[2], 0, images.shape[3]) if valid is None else valid_box(valid[index], stride)
        boxes.setdefault(box, []).append(index)
    refined = probabilities.clone()
    for (top, bottom, left, right), members in boxes.items():
        if bottom > top and right > left:
            inside = (members, slice(None), slice(top, bottom), slice(left, right))
            refined[inside] = refine(images[inside], probabilities[inside])
    return refined


def valid_box(valid: Tensor, stride: int = 1) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right (ends excluded) of the True pixels of (H, W) in strides, or zeros."""
    rows, columns = (valid.any(dim=dimension).nonzero().flatten() for dimension in (1, 0))
    if not len(rows):
        return 0, 0, 0, 0
    return (
        -(-int(rows[0]) // stride),
        int(rows[-1]) // stride + 1,
        -(-int(columns[0]) // stride),
        int(columns[-1]) // stride + 1,
    )
