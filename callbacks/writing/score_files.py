"""Score file and confident label of one image, as a worker makes them; Lightning, slow to import, keeps out of here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from datamodules.files.labels import as_label, label_codes, write_label
from datamodules.files.scores import write_scores
from mars_pl.wsss.propagation.confident_label import UNSURE, CompetingLabels, ConfidentLabels, winners

CONFIDENT = "confident"
"""Sub-folder of the confident labels."""

LEVELS = 256
"""To so many the maps of a confident label are rounded: the file is a quarter, one cell of 34,000 learns otherwise."""


def make_score_files(
    name: str,
    image: NDArray[np.uint8],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int64],
    folder: Path,
    confident: ConfidentLabels | None,
    num_classes: int,
) -> None:
    """Write one image's scores, and its confident label where one is wanted, with the maps that it was drawn from."""
    write_scores(folder / f"{name}.npz", class_ids, scores)
    if confident is None:
        return
    if isinstance(confident, CompetingLabels):
        competing = confident.compete(torch.from_numpy(image), torch.from_numpy(scores))
        maps = (competing.flatten(0, 1) * LEVELS).round() / LEVELS
        write_scores(folder / CONFIDENT / f"{name}.npz", np.tile(np.append(0, class_ids), 2), maps.numpy())
        label = winners(competing).numpy()
    else:
        # drawn with the image's own numbers 1, 2, …, among which UNSURE is no class however many the data has
        own = torch.arange(1, len(class_ids) + 1)
        label = confident(torch.from_numpy(image), torch.from_numpy(scores), own).numpy()
    code_of = np.zeros(UNSURE + 1, dtype=np.int64)
    code_of[1 : len(class_ids) + 1] = class_ids
    code_of[UNSURE] = label_codes(num_classes).ignored
    write_label(folder / CONFIDENT / f"{name}.png", as_label(code_of[label], num_classes))
