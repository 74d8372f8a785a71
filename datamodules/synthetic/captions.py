"""Generated pictures with a caption each, from which a small CLIP learns what things are called (`wsss=clims`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.image_labels.captions import write_captions
from datamodules.synthetic.chance import Chance
from datamodules.synthetic.companions import BRANCH, FIRST, MEADOW, RAILS, SEA
from datamodules.synthetic.generator import Scene, each_written, render, render_outside, whole_folder

WORDS = {RAILS: "railway", SEA: "sea", MEADOW: "meadow", BRANCH: "branch"}
"""Companion → its name in captions."""

SEEN = 150
"""Pixels of a companion from which on a caption may name it."""

NAMED = 80
"""Per cent of the companions beside an object that its caption names; whoever writes one leaves things out."""

OPENINGS = ("a photo of", "a picture of", "")
"""How captions begin. They and the articles vary, so that a word is known wherever it stands, as CLIP knows it."""

ALONE = 3
"""Every third picture shows companions alone, as photographs of a sea without a boat do."""


def words_of(scene: Scene, chance: Chance) -> list[str]:
    """Return the things that a person would name below a picture, objects first."""
    names = CLASS_NAMES["scenes"]
    objects = chance.shuffled([names[code] for code in scene.classes])
    seen = [code for code in np.unique(scene.companion) if code and (scene.companion == code).sum() >= SEEN]
    beside = chance.shuffled([WORDS[FIRST[names[code]]] for code in seen])
    return objects + [word for word in beside if not objects or chance.percent(NAMED)]


def phrased(words: Sequence[str], chance: Chance) -> str:
    """Return a caption that names things, such as *a picture of a boat and sea.*; *place* where there is none."""
    opening = chance.choose(OPENINGS)
    named = [f"a {word}" if chance.percent(50) else word for word in words or ["place"]]
    return f"{opening} {' and '.join(named)}.".strip()


def write_captioned(folder: Path, seed: int = 0, pictures: int = 4000, processes: int = 1) -> None:
    """Write captioned pictures of the world of Scenes, whole or not at all.

    The files do not hang on ``processes``.

    Raises:
        DataError: where ``folder`` already holds something.
    """
    with whole_folder(folder) as part:
        write = partial(_write_captioned, part, seed)
        write_captions(part, each_written(write, range(pictures), processes, "Generating captioned pictures"))


def _write_captioned(folder: Path, seed: int, index: int) -> tuple[str, str]:
    """Write a picture; return its file's name and its caption."""
    scene = render(seed, index) if index % ALONE else render_outside(seed, index)
    name = f"c{seed}_{index:05d}.jpg"
    Image.fromarray(scene.image).save(folder / name, quality=95, subsampling=0)
    return name, phrased(words_of(scene, Chance(seed, index, 3)), Chance(seed, index, 4))
