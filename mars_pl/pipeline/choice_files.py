"""Choices that are a file of ``configs``, looked for at once, so that a misspelt one is refused with the near miss."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from datamodules.errors import DataError
from mars_pl.pipeline.settings.configs import config_folder, find_config

FILES = {
    "data": "data/{}",
    "size": "size/{}",
    "wsss": "wsss/{}_labels",
    "uss": "uss/features_{}",
    "backbone": "backbone/{}",
    "centroids": "debias/{}",
    "segmenter": "segment/{}",
    "train": "train/{}",
    "also": "train/{}",
    "trainer": "trainer/{}",
}
"""Each such choice, and the file's name."""


def look_for_file(name: str, value: str) -> None:
    """Look for the file of a choice.

    Raises:
        DataError: where there is none; names the nearest one, or all.
    """
    pattern = FILES[name]
    try:
        find_config(pattern.format(value))
    except DataError:
        folder, (before, after) = config_folder(), pattern.split("{}")
        stems = (str(path.relative_to(folder).with_suffix("")) for path in folder.glob(f"{pattern.format('*')}.yaml"))
        there = sorted(stem[len(before) : len(stem) - len(after)] for stem in stems)
        remedy = near_miss(value, there) or f"there are {', '.join(there)}"
        raise DataError(f"{name}={value}: there is no configs/{pattern.format(value)}.yaml; {remedy}") from None


def near_miss(name: str, known: Sequence[str]) -> str:
    """Return a question after what was probably meant, empty where nothing is near."""
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else ""
