"""Class scores of one image as IRN, AdvCAM, SEAM and RS+EPM write them, brought into one form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from datamodules.errors import DataError
from datamodules.unpickle.torch_pickle import read_arrays

TOLERANCE = 1e-3
"""By how much a score may exceed 1, and probabilities their sum."""

NO_MAPS = np.zeros((0, 0, 0), dtype=np.float32)
"""Of an image without classes whose file says no size."""


@dataclass(frozen=True)
class ClassScores:
    """Scores of the classes that an image's label names.

    Args:
        class_ids: int64 (K,), label ids 1…C; K may be 0.
        maps: float32 (K, H, W) in [0, 1]; (0, 0, 0) where an image without classes has no size either.
        background: float32 (H, W) in [0, 1], where the file has a background of its own.
    """

    class_ids: NDArray[np.int64]
    maps: NDArray[np.float32]
    background: NDArray[np.float32] | None = None


def read_irn(path: Path, num_classes: int) -> ClassScores:
    """Read `<id>.npy` of IRN's `make_cam.py` and of AdvCAM, W-OoD and CLIMS: `keys` from 0, `high_res` at full size.

    Raises:
        DataError: where the file is missing, refused, or not such a dict; where a class is unknown.
    """
    content = _entries(path, "keys")
    class_ids = _numbers(path, content["keys"]) + 1
    if len(class_ids) and "high_res" not in content:
        raise DataError(f"{path}: holds no 'high_res'; write the maps at the size of the image")
    return _scores(path, class_ids, content.get("high_res", NO_MAPS), num_classes)


def read_irn_background(path: Path, num_classes: int) -> ClassScores:
    """Read `<id>.npy` of forks that save IRN's keys as `np.pad(keys + 1, (1, 0))`: 0, the background, then from 1.

    `high_res` may have a map of the background or not. Raises as `read_irn` does.
    """
    content = _entries(path, "keys")
    keys = _numbers(path, content["keys"])
    if len(keys) > 1 and "high_res" not in content:
        raise DataError(f"{path}: holds no 'high_res'; write the maps at the size of the image")
    return _behind_background(path, keys, content.get("high_res", NO_MAPS), num_classes)


def keys_hold_background(paths: Iterable[Path]) -> bool:
    """Tell whether files of IRN's kind look as if key 0 were the background: in each it stands before other keys.

    IRN's own keys begin with 0 where an image shows class 1; that every image shows it, and another one, is rare.

    Args:
        paths: some of the files; those without keys say nothing, and one or two are too few to judge.
    """
    judged = [keys for path in paths if len(keys := _numbers(path, _entries(path, "keys")["keys"]))]
    return len(judged) > 2 and all(len(keys) > 1 and keys[0] == 0 for keys in judged)


def read_seam_cam(path: Path, num_classes: int) -> ClassScores:
    """Read `<id>.npy` of SEAM's `out_cam`, {class from 0: map}; raises DataError as `read_irn` does."""
    content = _entries(path)
    class_ids = _numbers(path, list(content)) + 1
    return _scores(path, class_ids, list(content.values()) or NO_MAPS, num_classes)


def read_seam_crf(path: Path, num_classes: int) -> ClassScores:
    """Read `<id>.npy` of SEAM's `out_crf`, {0: background, class from 1: probability}; raises as `read_irn` does."""
    content = _entries(path)
    if 0 not in content:
        raise DataError(f"{path}: holds no background (key 0); are these files of out_cam? --content cam reads them")
    background = content.pop(0)
    class_ids = _numbers(path, list(content))
    return _scores(path, class_ids, list(content.values()) or NO_MAPS, num_classes, background)


def read_rsepm(path: Path, num_classes: int) -> ClassScores:
    """Read `<id>.pkl` of RS+EPM's `infer_rsepm.py`: `keys` from 1 behind a 0, `seed` with a map for each but the 0.

    A seed with as many maps as keys has a background of its own (their "MS" tags); raises as `read_irn` does.
    """
    content = _entries(path, "keys", "seed")
    return _behind_background(path, _numbers(path, content["keys"]), content["seed"], num_classes)


def _behind_background(path: Path, keys: NDArray[np.int64], maps: ArrayLike, num_classes: int) -> ClassScores:
    """Take keys from 1 behind a 0; where there are as many maps as keys the background has one of its own."""
    if not len(keys) or keys[0] != 0:
        raise DataError(f"{path}: its keys do not begin with 0, the background; is this a file of another kind?")
    scores = _maps(path, maps)
    if len(scores) == len(keys):
        return _scores(path, keys[1:], scores[1:], num_classes, scores[0])
    return _scores(path, keys[1:], scores, num_classes)


SCORE_READERS: dict[str, Callable[[Path, int], ClassScores]] = {
    "irn": read_irn,
    "irn-background": read_irn_background,
    "seam-cam": read_seam_cam,
    "seam-crf": read_seam_crf,
    "rsepm": read_rsepm,
}
"""Form of the file → its reader."""


def seam_content(path: Path) -> str:
    """Tell by one file of SEAM's whether it is from `out_cam` or `out_crf`: `seam-cam` or `seam-crf`.

    Only the latter surely has a key 0, and only its maps, that one included, sum to 1 at every pixel.
    """
    content = _entries(path)
    if 0 not in content:
        return "seam-cam"
    sums = np.sum(_maps(path, list(content.values())), axis=0)
    return "seam-crf" if bool((np.abs(sums - 1) <= TOLERANCE).all()) else "seam-cam"


def _entries(path: Path, *names: str) -> dict[Any, Any]:
    content = read_arrays(path)
    if not isinstance(content, dict):
        raise DataError(f"{path}: holds no dict; is this a file of class scores?")
    for name in names:
        if name not in content:
            there = ", ".join(map(repr, list(content)[:5])) or "nothing"
            raise DataError(f"{path}: holds no {name!r} but {there}; is KIND the right one?")
    return content


def _numbers(path: Path, keys: Iterable[Any]) -> NDArray[np.int64]:
    numbers = np.atleast_1d(np.asarray(keys))
    if numbers.size and (numbers.ndim != 1 or numbers.dtype.kind not in "iu"):
        raise DataError(f"{path}: its keys are no class numbers; is KIND the right one?")
    return numbers.astype(np.int64).reshape(-1)


def _maps(path: Path, maps: ArrayLike) -> NDArray[np.float32]:
    try:
        array = np.asarray(maps, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        array = np.zeros(0, dtype=np.float32)
    if array.ndim != 3:
        raise DataError(f"{path}: its maps are not of one size, H×W each; write them again")
    return array


def _scores(
    path: Path, class_ids: NDArray[np.int64], maps: ArrayLike, num_classes: int, background: ArrayLike | None = None
) -> ClassScores:
    """Check what all forms have in common."""
    unknown = class_ids[(class_ids < 1) | (class_ids >= num_classes)]
    if unknown.size:
        raise DataError(f"{path}: holds class {unknown[0]}, the data 1 to {num_classes - 1}; is --data the right one?")
    if len(set(class_ids.tolist())) < len(class_ids):
        raise DataError(f"{path}: holds a class twice; write one map a class")
    scores = _maps(path, maps)
    if len(scores) != len(class_ids):
        raise DataError(f"{path}: holds {len(class_ids)} classes but {len(scores)} maps; write one map a class")
    own = None if background is None else _maps(path, np.asarray(background)[None])[0]
    if own is not None and len(scores) and own.shape != scores.shape[1:]:
        raise DataError(f"{path}: its background is of another size than its maps; write them again")
    for values in (scores, own):
        if values is not None and not (values <= 1 + TOLERANCE).all():  # false for nan too
            raise DataError(f"{path}: its scores go to {values.max():g}; scale each map to 0…1")
    return ClassScores(class_ids, scores.clip(0, 1), None if own is None else own.clip(0, 1))
