"""Image labels in memory: the label ids of all images in one array, and where those of each image begin."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

ClassIds = NDArray[np.integer[Any]]
"""(k,) label ids of an image's foreground classes, 1…C, ascending, each once."""


class ImageLabels:
    """The classes of the images of a list, by their places in it.

    At Open Images' size (19,794 classes, 5 of them an image) this takes 14 bytes an image; a vector takes 79,176.

    Args:
        class_ids: (n,), the `ClassIds` of all images, one after the other.
        starts: (images + 1,), where those of each image begin, and n.
        classes: C, foreground classes.
        missing: (images,), True where nobody knows what the image shows; None where all are known.
    """

    def __init__(
        self,
        class_ids: NDArray[np.integer[Any]],
        starts: NDArray[np.integer[Any]],
        classes: int,
        missing: NDArray[np.bool_] | None = None,
    ) -> None:
        self.class_ids, self.starts, self.classes, self.missing = class_ids, starts, classes, missing

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __contains__(self, place: int) -> bool:
        """Tell whether it is known what an image shows."""
        return self.missing is None or not self.missing[place]

    def __getitem__(self, place: int) -> ClassIds:
        """Return the classes of an image; raises KeyError where nobody knows them."""
        if place not in self:
            raise KeyError(place)
        return self.class_ids[self.starts[place] : self.starts[place + 1]]

    def vector(self, place: int) -> NDArray[np.float32]:
        """Return (C,), 1 where foreground class k+1 is in the image; raises KeyError where nobody knows."""
        vector = np.zeros(self.classes, dtype=np.float32)
        vector[self[place].astype(np.intp) - 1] = 1
        return vector

    def counts(self) -> NDArray[np.int64]:
        """Return (C,), how many images show each foreground class."""
        return np.bincount(self.class_ids, minlength=self.classes + 1)[1:]

    @property
    def known(self) -> int:
        """How many images have a label."""
        return len(self) - (0 if self.missing is None else int(self.missing.sum()))

    @property
    def nbytes(self) -> int:
        """Memory that they take."""
        return self.class_ids.nbytes + self.starts.nbytes + (0 if self.missing is None else self.missing.nbytes)


class LabelBuilder:
    """Puts labels together image by image, in arrays that grow.

    Args:
        classes: C, foreground classes.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self._type = id_type(classes)
        self._class_ids, self._starts, self._missing = array(self._type.char), array("I", [0]), array("q")

    def add(self, class_ids: ClassIds | None) -> None:
        """Append the label of the next image; None where there is none."""
        if class_ids is None:
            self._missing.append(len(self._starts) - 1)
        else:
            self._class_ids.frombytes(class_ids.astype(self._type).tobytes())
        self._starts.append(len(self._class_ids))

    def labels(self) -> ImageLabels:
        """Return what was put together."""
        class_ids, starts = np.frombuffer(self._class_ids, self._type), np.frombuffer(self._starts, np.uintc)
        missing = np.zeros(len(starts) - 1, np.bool_)
        missing[np.frombuffer(self._missing, np.int64)] = True
        return ImageLabels(class_ids, starts, self.classes, missing if len(self._missing) else None)


def id_type(classes: int) -> np.dtype[Any]:
    """Return the smallest type of whole numbers that holds the label ids of so many foreground classes."""
    return np.dtype(np.min_scalar_type(classes))
