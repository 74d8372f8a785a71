"""MARS for a code base of its own: arrays in, arrays out, by the functions that the jobs call (§3.2–3.4, Eq. 1–7).

Wherever ``images`` is taken: any iterable of (id, image, label, classes): a str; uint8 RGB, (3, H, W) or (H, W, 3); the
pseudo label (H, W) with 0 for background; C zeros and ones for the foreground classes that the image shows. Wherever
``features`` is taken: a function from the image as it was given to dense features (D, h, w) that cover all of it; or an
``nn.Module`` in evaluation mode from uint8 (1, 3, H, W) to (1, D, h, w). Arrays are numpy's or torch's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import get_args

import torch
from torch import Tensor, nn

from mars_pl.debias.centroids import join, share
from mars_pl.debias.debiasing import label_image, map_image
from mars_pl.debias.defaults import (
    ALPHA,
    BACKGROUND_CLUSTERS,
    BIASED_INDEX,
    CLUSTERING,
    DISTANCE,
    EXPONENT,
    FOREGROUND_CLUSTERS,
    IGNORE_INDEX,
    LEVEL,
    NEAREST_COUNT,
    NORMALISE,
    SPHERICAL,
    STRIDE,
    UPSAMPLE,
    Clustering,
    Distance,
    Level,
    Upsample,
)
from mars_pl.debias.given_image import (
    Array,
    Features,
    Given,
    as_tensor,
    check_codes,
    dense_features,
    image_tensor,
    look_over,
)
from mars_pl.debias.image_candidates import find_candidates
from mars_pl.debias.selection import DebiasedCentroids, select_centroids
from mars_pl.refine.protocol import Refine
from mars_pl.segment import complement
from mars_pl.segment.inference import (
    FLIP,
    LEAST_PROBABILITY,
    SCALES,
    Average,
    Resampling,
    competing,
    drop_improbable,
    multi_scale_probabilities,
)
from mars_pl.segment.sliding_window import SlidingWindow, slide
from mars_pl.segment.weighted_cross_entropy import WeightedCrossEntropy

__all__ = ["Complement", "DebiasedCentroids", "WeightedCrossEntropy", "debias", "debiased_centroids", "predict"]


def debiased_centroids(
    images: Iterable[Given],
    features: Features,
    *,
    num_classes: int,
    alpha: float = ALPHA,
    foreground_clusters: int = FOREGROUND_CLUSTERS,
    background_clusters: int = BACKGROUND_CLUSTERS,
    distance: Distance = DISTANCE,
    nearest_count: int = NEAREST_COUNT,
    level: Level = LEVEL,
    stride: int = STRIDE,
    spherical: bool = SPHERICAL,
    clustering: Clustering = CLUSTERING,
    ignore_index: int = IGNORE_INDEX,
    biased_index: int = BIASED_INDEX,
) -> DebiasedCentroids:
    """Find one debiased centroid a class (§3.2): K-means in each region, then the share farthest from background.

    Args:
        images: all training images, see above; read once.
        features: see above; may differ in h and w from image to image, not in D.
        num_classes: background included.
        alpha: share of each class's candidates that make its debiased centroid (paper: .40).
        foreground_clusters: K_fg (paper: 2).
        background_clusters: K_bg (paper: 2; 1 to 5 make little difference).
        distance: to all background centroids, their ``mean`` (Eq. 1), the ``minimum``, or the mean of the ``nearest``.
        nearest_count: how many, for ``nearest``.
        level: ``patch`` clusters the features' own cells; ``pixel`` upsamples them to a cell every ``stride`` pixels.
        stride: of level ``pixel``; 1 is what the paper writes.
        spherical: bring cells to unit length before clustering.
        clustering: ``scikit-learn`` on the processor; ``batched``, all regions at once where the features lie.
        ignore_index: label code of pixels that take no part.
        biased_index: label code treated like ``ignore_index``.

    Raises:
        ValueError: in one line, where an image, its features or a setting is not as above, an id comes twice, or no
            label has background or none an object.
    """
    share(1, alpha)  # wrong settings must not wait for the last image
    if distance not in get_args(Distance):
        raise ValueError(f"distance {distance!r} is none of {', '.join(get_args(Distance))}")
    check_codes(num_classes, ignore_index, biased_index)
    found, channels = [], None
    for item in look_over(images, num_classes, ignore_index, biased_index):
        dense = dense_features(features, item)
        channels = channels or len(dense)
        if len(dense) != channels:
            raise ValueError(f"{item.id}: features of {len(dense)} channels, those of the first image have {channels}")
        of_image = find_candidates(
            item.id,
            dense,
            item.label,
            item.classes,
            foreground_clusters=foreground_clusters,
            background_clusters=background_clusters,
            level=level,
            stride=stride,
            spherical=spherical,
            clustering=clustering,
            ignore_index=ignore_index,
            biased_index=biased_index,
        )
        found.append(of_image.candidates)
    return select_centroids(join(found), num_classes, alpha, distance, nearest_count)


def debias(
    images: Iterable[Given],
    features: Features,
    centroids: DebiasedCentroids | Array,
    *,
    refine: Refine | None = None,
    exponent: float = EXPONENT,
    upsample: Upsample = UPSAMPLE,
    normalise: bool = NORMALISE,
    ignore_index: int = IGNORE_INDEX,
    biased_index: int = BIASED_INDEX,
) -> Iterator[tuple[str, Array]]:
    """Yield (id, debiased label) of each image (§3.3): its pseudo label, biased pixels marked ``biased_index``.

    Args:
        images: see above; read as the iterator goes.
        features: those with which the centroids were made.
        centroids: what ``debiased_centroids`` returned, or (num_classes, D) with a row of zeros where a class has none.
        refine: what sharpens the map along the image, from uint8 (1, 3, H, W) and probabilities (1, 2, H, W) to such:
            ``mars_pl.refine.dense_crf.DenseCRF(workers=0)`` or ``mars_pl.refine.pamr.PAMR()``; None cuts it where
            (1 − M)^γ = M.
        exponent: γ; larger keeps more of the object.
        upsample: ``features`` as the paper; ``similarity`` is cheaper and nearly the same.
        normalise: spread each map to [0, 1]; for features whose cosines keep far from .5.
        ignore_index: label code that stays as it is.
        biased_index: label code that stands for the paper's −1.

    Raises:
        ValueError: in one line, where an image or its features are not as above.
    """
    rows = centroids.centroids if isinstance(centroids, DebiasedCentroids) else as_tensor("centroids", centroids)
    if rows.ndim != 2:
        raise ValueError(f"centroids of shape {tuple(rows.shape)}: want (num_classes, D), row 0 for background")
    check_codes(len(rows), ignore_index, biased_index)

    def labels() -> Iterator[tuple[str, Array]]:
        for item in look_over(images, len(rows), ignore_index, biased_index):
            similarity = map_image(
                lambda item=item: dense_features(features, item),  # type: ignore[misc]
                item.classes,
                rows.float().cpu(),
                (item.image.shape[1], item.image.shape[2]),
                upsample=upsample,
                normalise=normalise,
            )
            label = label_image(
                item.label,
                similarity,
                item.image,
                refine,
                exponent,
                biased_index=biased_index,
                ignore_index=ignore_index,
            )
            yield item.id, item.like_given(label)

    return labels()  # so that wrong settings are told at the call, not at the first image


class Complement(complement.Complement):
    """Fills the biased pixels of a training batch by a teacher and weighs them by its certainty (§3.4, Eq. 6).

    In a training step, with an EMA ``teacher`` in evaluation mode::

        label, weight = complement(images, teacher(images), label, classes)
        loss = WeightedCrossEntropy()(student(images), label, weight)

    Its settings are those of ``mars_pl.segment.complement.Complement``.
    """

    @torch.no_grad()
    def forward(
        self,
        images: Tensor,
        logits: Tensor,
        label: Tensor,
        classes: Tensor,
        biased_index: int = BIASED_INDEX,
        valid: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return Yᶜᵒ, int64 (B, H, W), and W in [0, 1], float32 (B, H, W).

        Args:
            images: uint8 (B, 3, H, W), not normalised.
            logits: of the teacher, (B, num_classes, h, w), any size.
            label: Yᵈᵇ, integers (B, H, W).
            classes: the image labels, (B, num_classes − 1) zeros and ones.
            biased_index: the label's code of biased pixels.
            valid: bool (B, H, W), False where a crop was padded; None is all valid.

        Raises:
            ValueError: in one line, where a shape or a type is another.
        """
        return super().forward(images, logits, label, classes, biased_index, valid)


@torch.no_grad()
def predict(
    images: Iterable[tuple[str, Array]],
    network: nn.Module,
    *,
    scales: Sequence[float] = SCALES,
    flip: bool = FLIP,
    average: Average = "probabilities",
    resampling: Resampling = "centres",
    least_probability: float = LEAST_PROBABILITY,
    window: SlidingWindow | None = None,
    refine: Refine | None = None,
) -> Iterator[tuple[str, Array]]:
    """Yield (id, mask) of each image: the class of each pixel by a segmentation network, as `mars predict` writes it.

    Args:
        images: (id, image), uint8 RGB (3, H, W) or (H, W, 3); read as the iterator goes.
        network: in evaluation mode; maps uint8 (1, 3, H, W) to logits (1, K, h, w). `mars_pl.fitted.read_segmenter`
            makes that of a finished fit, with its views.
        scales: of the views whose probabilities are averaged.
        flip: add their mirror images.
        average: see `mars_pl.segment.inference.Average`.
        resampling: likewise.
        least_probability: a class that is nowhere this probable takes no part in refinement.
        window: see large images by overlapping windows.
        refine: see ``debias``; None takes the argmax.

    Raises:
        ValueError: in one line, where an image is not as above, or the network is in training mode.
    """
    if network.training:
        raise ValueError("network: in training mode, in which batch norm and dropout act; call .eval()")
    first = next(chain(network.parameters(), network.buffers()), None)
    view = partial(multi_scale_probabilities, network, scales=scales, flip=flip, average=average, resampling=resampling)
    for image_id, image in images:
        batch = image_tensor(image_id, image)[None].to("cpu" if first is None else first.device)
        maps = drop_improbable(slide(view, batch, window) if window else view(batch), least_probability)[0]
        codes = competing(maps, None)
        refined = maps[codes][None] if refine is None else refine(batch, maps[codes][None])
        mask = codes[refined[0].max(dim=0).indices].to(torch.uint8 if len(maps) <= 256 else torch.int32)
        yield image_id, mask if isinstance(image, Tensor) else mask.cpu().numpy()
