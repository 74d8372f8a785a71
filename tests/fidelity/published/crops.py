"""Training crops: tools/transforms.py of DHR, voc12/dataloader.py of IRN, libs/datasets/base.py of deeplab-pytorch.

With what they draw given: a size, a mirror, the place of the crop. Images are uint8 arrays (H, W, 3).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image
from torchvision import transforms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MEAN_RGB = (122.675, 116.669, 104.008)
"""What deeplab-pytorch takes from an image and pads with."""

Pair = tuple[np.ndarray, np.ndarray]


def by_long_side(height: int, width: int, long_side: int) -> tuple[int, int]:
    """DHR and IRN: both sides by the factor of the longer one, rounded."""
    factor = long_side / height if width < height else long_side / width
    return round(height * factor), round(width * factor)


def by_scale(height: int, width: int, factor: float) -> tuple[int, int]:
    """IRN's labels."""
    return int(np.round(height * factor)), int(np.round(width * factor))


def by_cut_scale(height: int, width: int, factor: float) -> tuple[int, int]:
    """deeplab-pytorch."""
    return int(height * factor), int(width * factor)


def resized(image: np.ndarray, label: np.ndarray, size: tuple[int, int]) -> Pair:
    """PIL's bicubic and PIL's nearest."""
    swapped = size[::-1]
    return (
        np.asarray(Image.fromarray(image).resize(swapped, Image.Resampling.BICUBIC)),
        np.asarray(Image.fromarray(label).resize(swapped, Image.Resampling.NEAREST)),
    )


def places(side: int, crop: int) -> list[tuple[int, int]]:
    """Where the image begins in the crop, and where the crop begins in the image: one of them moves, evenly."""
    return [(0, start) for start in range(side - crop + 1)] if side > crop else [(s, 0) for s in range(crop - side + 1)]


def outcomes(image: np.ndarray, label: np.ndarray, crop: int) -> Iterator[Pair]:
    """DHR, IRN: every crop of a resized pair; normalised, then padded with zeros, labels with 255."""
    normalised = (image.astype(np.float64) / 255 - MEAN) / STD
    for mirrored in (False, True):
        whole, codes = (normalised[:, ::-1], label[:, ::-1]) if mirrored else (normalised, label)
        height, width = min(crop, label.shape[0]), min(crop, label.shape[1])
        for top, first_row in places(label.shape[0], crop):
            for left, first_column in places(label.shape[1], crop):
                cut, cut_label = np.zeros((crop, crop, 3)), np.full((crop, crop), 255, label.dtype)
                inside = (slice(top, top + height), slice(left, left + width))
                taken = (slice(first_row, first_row + height), slice(first_column, first_column + width))
                cut[inside], cut_label[inside] = whole[taken], codes[taken]
                yield cut, cut_label


def deeplab_outcomes(image: np.ndarray, label: np.ndarray, crop: int) -> Iterator[Pair]:
    """deeplab-pytorch: padded right and below, cut, mirrored; the image less its mean colour."""
    height, width = label.shape
    below, right = max(crop - height, 0), max(crop - width, 0)
    whole = np.empty((height + below, width + right, 3))
    whole[:] = MEAN_RGB
    whole[:height, :width] = image
    codes = np.pad(label, ((0, below), (0, right)), constant_values=255)
    for top in range(codes.shape[0] - crop + 1):
        for left in range(codes.shape[1] - crop + 1):
            place = (slice(top, top + crop), slice(left, left + crop))
            for step in (1, -1):
                yield (whole[place] - MEAN_RGB)[:, ::step], codes[place][:, ::step]


def bilinear(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """OpenCV's INTER_LINEAR, unrounded: by centres, and without antialiasing."""
    for axis, new in enumerate(size):
        old = image.shape[axis]
        taken = []
        for place in range(new):
            at = min(max((place + 0.5) * old / new - 0.5, 0.0), old - 1.0)
            low = math.floor(at)
            near, far = image.take(low, axis).astype(float), image.take(min(low + 1, old - 1), axis).astype(float)
            taken.append(near + (at - low) * (far - near))
        image = np.stack(taken, axis)
    return image


def drawn_boxes(image, count, common=0.01):
    """Leopart (src/leopart_transforms.py): overlaps above whole pixels, twice as many between the large crops."""
    width, height = image.size
    boxes = []
    for k in range(count):
        crop = transforms.RandomResizedCrop(8, scale=(0.25, 1.0) if k < 2 else (0.05, 0.25))
        while True:
            top, left, h, w = crop.get_params(image, crop.scale, crop.ratio)
            least = int(width * height * common) * (2 if k < 2 else 1)
            areas = []
            for x1, y1, x2, y2 in boxes[:2]:
                across, down = min(left + w, x2) - max(left, x1), min(top + h, y2) - max(top, y1)
                areas.append(max(across, 0) * max(down, 0))
            if all(area > least for area in areas):
                boxes.append([left, top, left + w, top + h])
                break
    return boxes
