"""What is done here against the same to the letter, as pairs of subjects that are timed one after the other."""

from __future__ import annotations

from typing import NamedTuple

from tests.benchmarks import literal, stego_step, subjects

SUBJECTS = subjects.SUBJECTS | {
    subject.__name__: subject
    for subject in (
        literal.clustering,
        literal.clustering_batched,
        literal.clustering_literal,
        literal.distance_literal,
        literal.selection,
        literal.selection_literal,
        literal.class_maps,
        literal.class_maps_literal,
        literal.plain_step,
        literal.complemented_step,
        literal.complemented_step_quarter,
        stego_step.stego_step_published,
        stego_step.stego_step,
        stego_step.stego_step_half,
        stego_step.stego_step_tokens,
    )
}
"""All subjects, by the names that the command line takes."""


class Ratio(NamedTuple):
    """One comparison.

    Attributes:
        what: is compared, for people.
        ours: subject.
        literal: subject that it is held against.
    """

    what: str
    ours: str
    literal: str


RATIOS = (
    Ratio("centroids of an image, against K-means on full-resolution features", "clustering", "clustering_literal"),
    Ratio("the same, all regions at once in PyTorch", "clustering_batched", "clustering_literal"),
    Ratio("Eq. 1 over all centroids, against all pairs", "linear_distance", "distance_literal"),
    Ratio("Eq. 2 and 3 of 19,794 classes, against class after class", "selection", "selection_literal"),
    Ratio("refinement of a debiased label, against all 21 classes", "dense_crf_2", "dense_crf_21"),
    Ratio("the same in PyTorch", "torch_crf_2", "dense_crf_21"),
    Ratio("the same in PyTorch, stopped early", "torch_crf_2_early", "dense_crf_21"),
    Ratio("dense CRF of 3 classes in PyTorch, against pydensecrf", "torch_crf", "dense_crf"),
    Ratio("class maps of an image, against those of 80 classes", "class_maps", "class_maps_literal"),
    Ratio("a plain step, against a complemented one, CRF at full size", "plain_step", "complemented_step"),
    Ratio("a plain step, against one with the CRF at the logits' size", "plain_step", "complemented_step_quarter"),
    Ratio("STEGO's training step, against the published one", "stego_step", "stego_step_published"),
    Ratio("the same in mixed precision", "stego_step_half", "stego_step_published"),
    Ratio("the same from stored tokens, single precision", "stego_step_tokens", "stego_step_published"),
)
