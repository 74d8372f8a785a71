"""§3.2 and §3.3 on arrays: the debiased centroids of a data set, and its debiased labels (Eq. 1–5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args

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
    LIFT,
    LIFT_QUANTILE,
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
from mars_pl.debias.given_image import Array, Features, Given, as_tensor, check_codes, dense_features, look_over
from mars_pl.debias.image_candidates import find_candidates
from mars_pl.debias.selection import DebiasedCentroids, select_centroids
from mars_pl.debias.similarity import check_lift
from mars_pl.refine.protocol import Refine


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
        images: all training images, see ``mars_pl.api``; read once.
        features: see ``mars_pl.api``; may differ in h and w from image to image, not in D.
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
        ValueError: in one line, where an image, its features or a setting is not as there, an id comes twice, or no
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
    lift: float = LIFT,
    lift_quantile: float = LIFT_QUANTILE,
    ignore_index: int = IGNORE_INDEX,
    biased_index: int = BIASED_INDEX,
) -> Iterator[tuple[str, Array]]:
    """Yield (id, debiased label) of each image (§3.3): its pseudo label, biased pixels marked ``biased_index``.

    Args:
        images: see ``mars_pl.api``; read as the iterator goes.
        features: those with which the centroids were made.
        centroids: what ``debiased_centroids`` returned, or (num_classes, D) with a row of zeros where a class has none.
        refine: what sharpens the map along the image, from uint8 (1, 3, H, W) and probabilities (1, 2, H, W) to such:
            ``mars_pl.refine.dense_crf.DenseCRF(workers=0)`` or ``mars_pl.refine.pamr.PAMR()``; None cuts it where
            (1 − M)^γ = M.
        exponent: γ; larger keeps more of the object.
        upsample: ``features`` as the paper; ``similarity`` is cheaper and nearly the same.
        normalise: spread each map to [0, 1]; for features whose cosines keep far from .5.
        lift: similarity that each class's region reaches at a quantile (ours); 0, as the paper has it, lifts nothing.
            .6 at .9 is `debias=labels_lifted`.
        lift_quantile: see ``mars_pl.debias.similarity.lifted``.
        ignore_index: label code that stays as it is.
        biased_index: label code that stands for the paper's −1.

    Raises:
        ValueError: in one line, where an image or its features are not as there.
    """
    rows = centroids.centroids if isinstance(centroids, DebiasedCentroids) else as_tensor("centroids", centroids)
    if rows.ndim != 2:
        raise ValueError(f"centroids of shape {tuple(rows.shape)}: want (num_classes, D), row 0 for background")
    check_codes(len(rows), ignore_index, biased_index)
    check_lift(lift, lift_quantile)

    def labels() -> Iterator[tuple[str, Array]]:
        for item in look_over(images, len(rows), ignore_index, biased_index):
            similarity = map_image(
                lambda item=item: dense_features(features, item),  # type: ignore[misc]
                item.classes,
                rows.float().cpu(),
                (item.image.shape[1], item.image.shape[2]),
                upsample=upsample,
                normalise=normalise,
                label=item.label,
                lift=lift,
                lift_quantile=lift_quantile,
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
