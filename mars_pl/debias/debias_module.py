"""The predict job that measures every pixel against the debiased centroids (paper §3.3, Eq. 4)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytorch_lightning as pl
from torch import Tensor, nn

from mars_pl.debias.batch import check_batch, image_features
from mars_pl.debias.debiasing import map_image
from mars_pl.debias.defaults import LIFT, LIFT_QUANTILE, NORMALISE, TEMPERATURE, UPSAMPLE, Against, Upsample
from mars_pl.debias.kinds.kinds_file import read_kinds
from mars_pl.debias.similarity import check_lift
from mars_pl.training.stored_tensors import read_tensors


@dataclass  # not frozen: Lightning moves what predict returns
class DebiasedMap:
    """One image's map M̂ᵈᵇ: ``similarity`` is (H, W) float32 in [0, 1]; ``whole`` are classes that lose nothing."""

    id: str
    similarity: Tensor
    whole: tuple[int, ...] = ()


class DebiasModule(pl.LightningModule):
    """Take each pixel's largest cosine to the debiased centroids of its image's classes.

    Args:
        feature_extractor: uint8 (B, 3, H, W) to dense features (B, D, h, w), the ones the centroids were made with, or
            None where batches bring ``features`` that were stored then.
        centroids: the ``centroids.safetensors`` that the centroids stage wrote.
        num_classes: background included.
        upsample: see ``debiased_map``.
        normalise: see ``debiased_map``.
        against: ``both`` holds the target against the companions and the background of the centroids' file, which
            ``TwoKinds`` has written (ours); ``nothing`` is the paper's Eq. 4.
        temperature: of ``both``, see ``both_sides_map``.
        lift: of ``nothing``, see ``lifted`` (ours); 0, as the paper has it, lifts nothing.
        lift_quantile: likewise.

    Raises:
        ValueError: where the file is missing, is of another number of classes, or lacks what ``both`` asks for; where a
            lift is out of its range, or asked for beside ``both``.
    """

    def __init__(
        self,
        feature_extractor: nn.Module | None,
        centroids: str,
        num_classes: int,
        upsample: Upsample = UPSAMPLE,
        normalise: bool = NORMALISE,
        against: Against = "nothing",
        temperature: float = TEMPERATURE,
        lift: float = LIFT,
        lift_quantile: float = LIFT_QUANTILE,
    ) -> None:
        super().__init__()
        self.feature_extractor = feature_extractor
        self.upsample: Upsample = upsample
        self.normalise, self.temperature = normalise, temperature
        self.lift, self.lift_quantile = lift, lift_quantile
        check_lift(lift, lift_quantile)
        if lift and against != "nothing":
            raise ValueError(f"lift {lift}: is of Eq. 4 alone, against: {against} has another map; leave one out")
        self.register_buffer("centroids", read_centroids(centroids, num_classes), persistent=False)
        self.centroids: Tensor
        self.sides, self.whole = read_kinds(centroids, self.centroids)
        if against not in get_args(Against):
            raise ValueError(f"against {against!r} is none of {', '.join(get_args(Against))}")
        if against == "nothing":
            self.sides = None
        elif self.sides is None:
            raise ValueError(
                f"{centroids}: no centroids of companions, which against: both asks for; make them again with "
                "centroids=centroids_two_kinds"
            )

    def predict_step(self, batch: dict[str, Any], batch_idx: int) -> DebiasedMap:
        """Make the map of the one image in ``batch``.

        Raises:
            ValueError: where the batch holds several images, no label, no image labels, or features that the centroids
                were not made with, or nothing to have features of.
        """
        check_batch(batch)
        image = batch["image"]
        similarity = map_image(
            lambda: self._features(batch),
            batch["classes"][0],
            self.centroids,
            (image.shape[-2], image.shape[-1]),
            upsample=self.upsample,
            normalise=self.normalise,
            sides=self.sides,
            temperature=self.temperature,
            label=batch["label"][0],
            lift=self.lift,
            lift_quantile=self.lift_quantile,
        )
        return DebiasedMap(batch["id"][0], similarity, self.whole)

    def _features(self, batch: dict[str, Any]) -> Tensor:
        """Return features (D, h, w); stored ones are of the channels that the centroids have."""
        features = image_features(batch, self.feature_extractor)
        if self.feature_extractor is None and len(features) != self.centroids.shape[1]:
            raise ValueError(
                f"{batch['id'][0]}: stored features of {len(features)} channels, "
                f"centroids of {self.centroids.shape[1]}; make both again"
            )
        return features


def read_centroids(path: str | Path, num_classes: int) -> Tensor:
    """Read (num_classes, D) debiased centroids, one row a class.

    Raises:
        ValueError: where the file is missing, no such file, or of another number of classes.
    """
    (centroids,) = read_tensors(
        path,
        ["centroids"],
        missing="no such centroids; run the centroids stage first or name another file",
        damaged="not a file of debiased centroids ({reason}); make them again",
    )
    if centroids.ndim != 2:
        raise ValueError(f"{path}: centroids of shape {tuple(centroids.shape)}, not a row a class; make them again")
    if len(centroids) != num_classes:
        raise ValueError(f"{path}: centroids of {len(centroids)} classes, the data has {num_classes} with background")
    if not centroids.isfinite().all():  # a cosine with NaN is below every threshold: all object pixels would go
        raise ValueError(f"{path}: centroids that are not finite; look at the features' weights and make them again")
    return centroids
