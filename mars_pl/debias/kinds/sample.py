"""A sample of all images' candidates that fits into memory, the same however the table is cut (ours)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mars_pl.debias.distance import Rows, unit

ImageRows = tuple[Tensor, Tensor, Tensor]
"""The image of each candidate (n,), any numbers that rise, classes (n,) and vectors (n, D): whole images."""


@dataclass(frozen=True)
class Sample:
    """Some candidates of each class, n in all, in the order of image id, class and cluster.

    Attributes:
        images: (n,) int64, the image of each, by a number.
        classes: (n,) int64, 0 for background.
        places: (n,) int64, which of the foreground candidates it is; of background no such place.
        vectors: (n, D) float64 of unit length.
        shown: (n, num_classes) bool, the classes that its image has a candidate of.
    """

    images: Tensor
    classes: Tensor
    places: Tensor
    vectors: Tensor
    shown: Tensor


class Sampler:
    """Picks at most so many candidates of each class, evenly spaced in the table's order, as the table goes by.

    Nothing is drawn: which ones depends on the table alone, not on processes, windows or a seed.

    Args:
        classes: (N,) of the whole table, background among them.
        most: candidates of a class, and of background.
        num_classes: background included.
    """

    def __init__(self, classes: Tensor, most: int, num_classes: int) -> None:
        order = classes.argsort(stable=True)
        counts = classes.bincount(minlength=num_classes)
        place = torch.arange(len(classes)) - (counts.cumsum(0) - counts).repeat_interleave(counts)
        total = counts.repeat_interleave(counts)
        # where most/total of the way has passed a whole number: `most` times for the class, or always
        passed = place * most // total != (place + 1) * most // total
        self._taken = torch.zeros(len(classes), dtype=torch.bool)
        self._taken[order] = passed
        self._num_classes, self._images, self._start, self._foreground = num_classes, 0, 0, 0
        self._parts: list[tuple[Tensor, ...]] = []

    def watch(self, table: Iterable[ImageRows]) -> Iterator[Rows]:
        """Hand the table on, and keep what is picked."""
        for images, classes, vectors in table:
            rows = self._taken[self._start : self._start + len(classes)].nonzero().flatten()
            numbers = images.unique(return_inverse=True)[1] + self._images
            shown = torch.zeros(int(numbers.max()) + 1 - self._images, self._num_classes, dtype=torch.bool)
            shown[numbers - self._images, classes.long()] = True
            places = (classes > 0).cumsum(0) - 1 + self._foreground
            of_image = shown[numbers[rows] - self._images]
            self._parts.append((numbers[rows], classes[rows].long(), places[rows], unit(vectors[rows]), of_image))
            self._start, self._images = self._start + len(classes), self._images + len(shown)
            self._foreground += int((classes > 0).sum())
            yield classes, vectors

    def sample(self) -> Sample:
        """Return what was picked of the whole table."""
        return Sample(*(torch.cat(column) for column in zip(*self._parts, strict=True)))
