"""From another project's class scores to a label: a background, an argmax, and dense CRF where it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules.errors import DataError
from datamodules.files.image_folder import ImageFolder
from datamodules.files.image_size import check_size, image_shape
from datamodules.foreign.scores import SCORE_READERS, ClassScores

CERTAINTY = 0.7
"""Of a hard label in the unary of its refinement (IRN, AdvCAM)."""


@dataclass(frozen=True)
class LabelRule:
    """How scores become a label; without score and exponent the background is the file's own.

    Args:
        background: constant score that a class must exceed (IRN, AdvCAM, SEAM's out_cam).
        alpha: exponent of the background (1 − max)^alpha (SEAM, RS+EPM).
        crf: settings of the dense CRF, a name of `refine.dense_crf.NAMED`; None leaves the argmax.
        crf_scale: of its reaches in pixels, for images that are not of VOC's size.
    """

    background: float | None = None
    alpha: float | None = None
    crf: str | None = None
    crf_scale: float = 1.0

    def __str__(self) -> str:
        if self.background is not None:
            return f"background score {self.background:g}"
        return "their own background" if self.alpha is None else f"background (1 − max)^{self.alpha:g}"


@dataclass(frozen=True)
class ScoreFolder:
    """The scores of many images.

    Args:
        form: of the files, a key of `SCORE_READERS`.
        folder: holds `<id><suffix>`.
        suffix: of the files.
        num_classes: background counted.
        own_background: whether the files have a background of their own.
        images: folder of the images, against whose size the maps are checked; None checks nothing.
    """

    form: str
    folder: Path
    suffix: str
    num_classes: int
    own_background: bool = False
    images: ImageFolder | None = None

    def path(self, image_id: str) -> Path:
        """Return the file of one image."""
        return self.folder / f"{image_id}{self.suffix}"

    def read(self, image_id: str) -> ClassScores:
        """Read the scores of one image.

        Raises:
            DataError: where its file is at fault, of another size than the image, or has no size at all; where it
            has a background and the others have not, or the other way round.
        """
        path = self.path(image_id)
        scores = SCORE_READERS[self.form](path, self.num_classes)
        if len(scores.maps) and (scores.background is not None) != self.own_background:
            has = "no background" if self.own_background else "a background"
            raise DataError(f"{path}: has {has} of its own, unlike the first file; import them from two folders")
        sizeless = 0 in scores.maps.shape[1:]
        if self.images is None:
            if sizeless:
                raise DataError(f"{path}: holds no class, so no size either; name the images by --images")
            return scores
        image = self.images.path(image_id)
        if sizeless:
            return replace(scores, maps=np.zeros((0, *image_shape(image)), dtype=np.float32))
        check_size(path, scores.maps.shape[1:], image)
        return scores

    def image(self, image_id: str) -> NDArray[np.uint8]:
        """Read the image as uint8 RGB (H, W, 3), with torch, which its only use, a refinement, needs anyway.

        Raises:
            DataError: where it is missing or cannot be decoded.
        """
        if self.images is None:
            raise DataError(f"{image_id}: a refinement follows the images; name their folder by --images")
        from datamodules.files.tree import read_image

        return np.asarray(read_image(self.images.path(image_id)).permute(1, 2, 0).numpy())


def label_of(scores: ClassScores, rule: LabelRule, image: NDArray[np.uint8] | None = None) -> NDArray[np.int64]:
    """Make the label of one image.

    Args:
        scores: of its classes, maps (K, H, W).
        rule: background and refinement.
        image: uint8 RGB (H, W, 3), which the refinement follows.

    Returns:
        int64 (H, W) of 0 and the class ids.

    Raises:
        ValueError: where neither the rule nor the scores have a background, or pydensecrf is asked for and missing.
    """
    if not len(scores.maps):
        return np.zeros(scores.maps.shape[1:], dtype=np.int64)
    channels = np.concatenate([_background(scores, rule)[None], scores.maps])
    index = channels.argmax(0)
    if rule.crf is not None and image is not None and index.any():
        index = _refined(channels, index, rule, image)
    return np.concatenate([[0], scores.class_ids])[index]


def _background(scores: ClassScores, rule: LabelRule) -> NDArray[np.float32]:
    if rule.background is not None:
        return np.full(scores.maps.shape[1:], rule.background, dtype=np.float32)
    if rule.alpha is not None:
        return np.power(1 - scores.maps.max(0), np.float32(rule.alpha))
    if scores.background is None:
        raise ValueError("scores without a background need a background score or an exponent")
    return scores.background


def _refined(
    channels: NDArray[np.float32], index: NDArray[np.int64], rule: LabelRule, image: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Refine as the sources do: a constant score's hard label by its certainty, a soft background as it is."""
    import torch

    from mars_pl.refine.dense_crf import DenseCRF, dense_crf
    from mars_pl.wsss.pseudo_label import label_probabilities

    if rule.background is not None:
        channels = label_probabilities(torch.from_numpy(index), len(channels), CERTAINTY).numpy()
    settings = DenseCRF(rule.crf or "deeplab", rule.crf_scale).settings
    return dense_crf(image, channels, settings).argmax(0)
