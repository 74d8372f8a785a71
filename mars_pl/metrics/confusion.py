"""Counts of pixels by true and predicted class, from which every figure follows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(
    prediction: NDArray[np.integer[Any]],
    truth: NDArray[np.integer[Any]],
    num_classes: int,
    ignore_index: int = 255,
) -> NDArray[np.int64]:
    """Count the pixels of one image, or of as many as are given.

    In a mask that is scored, whatever is not a class (254 biased, 255 ignored) counts as background; only the truth can
    take a pixel out of the count.

    Args:
        prediction: class indices of any shape.
        truth: class indices of the same shape, or ``ignore_index``.
        num_classes: with the background.
        ignore_index: truth of the pixels that are skipped.

    Returns:
        int64 of shape (num_classes, num_classes), truth in rows and prediction in columns.

    Raises:
        ValueError: where the shapes differ or the truth holds something that is neither a class nor ignored.
    """
    rows, columns = _counted(prediction, truth, num_classes, ignore_index)
    counts = np.bincount(rows * num_classes + columns, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes).astype(np.int64)


def class_counts(
    prediction: NDArray[np.integer[Any]],
    truth: NDArray[np.integer[Any]],
    num_classes: int,
    ignore_index: int = 255,
) -> NDArray[np.int64]:
    """Count what IoU, FP and FN need of the confusion matrix of one image: its diagonal and its sums.

    Args and Raises: as ``confusion_matrix``.

    Returns:
        int64 of shape (3, num_classes): pixels of each class that are right, predicted and true.
    """
    rows, columns = _counted(prediction, truth, num_classes, ignore_index)
    parts = (rows[rows == columns], columns, rows)
    return np.stack([np.bincount(part, minlength=num_classes) for part in parts]).astype(np.int64)


def _counted(
    prediction: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], num_classes: int, ignore_index: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the true and the predicted class of each pixel that counts."""
    if prediction.shape != truth.shape:
        raise ValueError(f"a prediction of shape {prediction.shape} cannot be scored against a truth of {truth.shape}")
    counted = truth != ignore_index
    rows = truth[counted].astype(np.int64)
    columns = prediction[counted].astype(np.int64)
    strange = rows[(rows < 0) | (rows >= num_classes)]
    if strange.size:
        raise ValueError(f"the truth holds {strange[0]}, classes go to {num_classes - 1}")
    columns[(columns < 0) | (columns >= num_classes)] = 0
    return rows, columns
