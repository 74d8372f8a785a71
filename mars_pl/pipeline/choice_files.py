"""Choices that are a file of ``configs``, looked for at once, so that a misspelt one is refused with the near miss."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from datamodules.errors import DataError
from mars_pl.pipeline.methods import METHODS
from mars_pl.pipeline.settings.configs import config_folder, find_config

FILES = {
    "data": "data/{}",
    "size": "size/{}",
    "wsss": "wsss/{}_labels",
    "uss": "uss/features_{}",
    "backbone": "backbone/{}",
    "centroids": "debias/{}",
    "debias": "debias/{}",
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
    if name == "wsss" and value in METHODS:  # some take another method's YAMLs
        return
    try:
        find_config(pattern.format(value))
    except DataError:
        there = files_of(name)
        remedy = near_miss(value, there) or f"there are {', '.join(there)}"
        raise DataError(f"{name}={value}: there is no configs/{pattern.format(value)}.yaml; {remedy}") from None


def files_of(name: str) -> list[str]:
    """Return the values of a choice that ship as files."""
    pattern, folder = FILES[name], config_folder()
    before, after = pattern.split("{}")
    stems = (str(path.relative_to(folder).with_suffix("")) for path in folder.glob(f"{pattern.format('*')}.yaml"))
    found = {stem[len(before) : len(stem) - len(after)] for stem in stems}
    return sorted(found | set(METHODS if name == "wsss" else ()))


def near_miss(name: str, known: Sequence[str]) -> str:
    """Return a question after what was probably meant, empty where nothing is near."""
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else ""
