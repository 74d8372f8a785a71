"""Images and features as another code base holds them: looked over, and as tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array: TypeAlias = NDArray[Any] | Tensor

Given: TypeAlias = tuple[str, Array, Array, Any]
"""Id, uint8 RGB image (3, H, W) or (H, W, 3), label (H, W), and the image label: C zeros and ones."""

Features: TypeAlias = Callable[[Any], Array] | nn.Module
"""A function from the image as it was given to (D, h, w); or a network, uint8 (1, 3, H, W) to (1, D, h, w)."""


@dataclass(frozen=True)
class GivenImage:
    """One image and what is known of it.

    Attributes:
        id: seeds the K-means.
        image: uint8 (3, H, W).
        label: int64 (H, W), class indices and the two codes.
        classes: bool (C,), the foreground classes that the image shows.
        given: image and label as they came.
    """

    id: str
    image: Tensor
    label: Tensor
    classes: Tensor
    given: tuple[Array, Array]

    def like_given(self, label: Tensor) -> Array:
        """Return (H, W) class indices as the type of array, and of number, in which the label came."""
        given = self.given[1]
        if isinstance(given, Tensor):
            return label.to(given.device, given.dtype)
        return label.cpu().numpy().astype(given.dtype)


def look_over(images: Iterable[Given], num_classes: int, ignore_index: int, biased_index: int) -> Iterator[GivenImage]:
    """Yield the images one by one.

    Args:
        images: each once.
        num_classes: background included.
        ignore_index: label code of pixels that take no part.
        biased_index: label code of biased pixels.

    Raises:
        ValueError: in one line, where an image is not what it should be, or an id comes twice.
    """
    seen: set[str] = set()
    for place, parts in enumerate(images):
        if not isinstance(parts, tuple | list) or len(parts) != 4:
            raise ValueError(f"image {place}: want (id, image, label, classes), got {type(parts).__name__}")
        image_id, image, label, classes = parts
        if not isinstance(image_id, str):
            raise ValueError(f"image {place}: its id {image_id!r} is no str; write str(id)")
        if image_id in seen:
            raise ValueError(f"{image_id}: an id comes twice; K-means is seeded by it, give each image one of its own")
        seen.add(image_id)
        codes = _label(image_id, label, num_classes, (ignore_index, biased_index))
        pixels = _image(image_id, image, codes.shape)
        yield GivenImage(image_id, pixels, codes, _classes(image_id, classes, num_classes - 1), (image, label))


def as_tensor(what: str, array: Any) -> Tensor:
    """Take a numpy array (copied) or a tensor.

    Raises:
        ValueError: for anything else; ``what`` names it.
    """
    if isinstance(array, Tensor):
        return array.detach()
    if isinstance(array, np.ndarray) and array.dtype != object:
        return torch.from_numpy(np.array(array, order="C"))  # a copy: views may be read-only or run backwards
    raise ValueError(f"{what}: want a numpy array of numbers or a tensor, got {type(array).__name__}")


@torch.no_grad()
def dense_features(features: Features, item: GivenImage) -> Tensor:
    """Return (D, h, w) floats that cover the whole image, where the features are.

    Raises:
        ValueError: in one line, where they are none, or the network is in training mode.
    """
    if isinstance(features, nn.Module):
        if features.training:
            raise ValueError("features: a network in training mode, in which batch norm and dropout act; call .eval()")
        first = next(chain(features.parameters(), features.buffers()), None)
        batch = item.image[None] if first is None else item.image[None].to(first.device)
        found = as_tensor(f"{item.id}: features", features(batch))
        found = found[0] if found.ndim == 4 and len(found) == 1 else found
    else:
        found = as_tensor(f"{item.id}: features", features(item.given[0]))
    if found.ndim != 3 or not found.is_floating_point():
        raise ValueError(f"{item.id}: want floating features (D, h, w), got {tuple(found.shape)} of {found.dtype}")
    if not bool(found.isfinite().all()):
        raise ValueError(f"{item.id}: features that are not finite")
    return found


def image_tensor(image_id: str, image: Any) -> Tensor:
    """Return uint8 (3, H, W) of an image in either order of sides.

    Raises:
        ValueError: in one line, where it is none.
    """
    shape = tuple(getattr(image, "shape", ()))
    if len(shape) != 3 or 3 not in (shape[0], shape[-1]):
        raise ValueError(f"{image_id}: an image of shape {shape}, want (3, H, W) or (H, W, 3)")
    return _image(image_id, image, shape[:2] if shape[-1] == 3 and shape[0] != 3 else shape[1:])


def check_codes(num_classes: int, ignore_index: int, biased_index: int) -> None:
    """Raise ValueError where there is no class, or a label code is one."""
    if not 2 <= num_classes <= min(ignore_index, biased_index):
        raise ValueError(
            f"num_classes {num_classes}: want background and at least one class, below the label codes "
            f"{biased_index} (biased) and {ignore_index} (ignored)"
        )


def _label(image_id: str, label: Any, num_classes: int, codes: tuple[int, int]) -> Tensor:
    found = as_tensor(f"{image_id}: label", label)
    if found.ndim != 2 or found.is_floating_point() or found.dtype == torch.bool:
        raise ValueError(f"{image_id}: want a label (H, W) of integers, got {tuple(found.shape)} of {found.dtype}")
    if torch.iinfo(found.dtype).max < max(codes):
        raise ValueError(f"{image_id}: a label of {found.dtype} cannot hold the code {max(codes)}; take another type")
    found = found.cpu().long()
    strange = [code for code in found.unique().tolist() if not 0 <= code < num_classes and code not in codes]
    if strange:
        raise ValueError(
            f"{image_id}: label code {strange[0]} is none of the classes 0 to {num_classes - 1}, "
            f"nor {codes[1]} (biased) or {codes[0]} (ignored)"
        )
    return found


def _image(image_id: str, image: Any, size: tuple[int, ...]) -> Tensor:
    found = as_tensor(f"{image_id}: image", image)
    if found.dtype != torch.uint8:
        raise ValueError(f"{image_id}: want a uint8 RGB image in 0…255, got {found.dtype}")
    if found.shape == (*size, 3) and found.shape != (3, *size):
        return found.permute(2, 0, 1).contiguous()
    if found.shape != (3, *size):
        shape, want = tuple(found.shape), f"(3, {size[0]}, {size[1]}) or ({size[0]}, {size[1]}, 3)"
        raise ValueError(f"{image_id}: an image of shape {shape}, its label wants {want}")
    return found


def _classes(image_id: str, classes: Any, count: int) -> Tensor:
    try:
        found = classes.detach().cpu() if isinstance(classes, Tensor) else torch.from_numpy(np.array(classes))
    except TypeError:
        found = torch.empty(0)
    if found.shape != (count,) or not bool(((found == 0) | (found == 1)).all()):
        raise ValueError(
            f"{image_id}: want {count} zeros and ones, one a foreground class, as the image's classes, "
            f"got {' '.join(str(classes).split())[:60]}"
        )
    return found.bool()
