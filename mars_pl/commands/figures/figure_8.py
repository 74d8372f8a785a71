"""Fig. 8: the candidates of each class and the background in the plane by t-SNE, targets and biased ones (§4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.figures.style import blank, colours
from mars_pl.commands.metrics_table import percent
from mars_pl.commands.report.candidate_vectors import ClassVectors, vectors_by_class
from mars_pl.commands.report.run import Run
from mars_pl.commands.report.selection import plane, read_candidates, shares
from mars_pl.metrics.target_share import BIASED_BELOW, KINDS, TARGET_ABOVE

TITLE = "Candidates and background in the plane"

SEED = 0
MOST = 600
"""Candidates of a class, and background centroids, that are drawn; of more, evenly spaced ones."""

PERPLEXITY = 30
FEWEST = 8
"""Points that t-SNE wants; fewer are laid on their principal axes."""

COLUMNS = 4
FAINT = 0.45


@dataclass(frozen=True)
class ClassPlane:
    """One class in the plane.

    Attributes:
        entry: its counts and shares, as `shares` says them.
        points: (n, 2) of its candidates.
        kinds: (n,) places in ``KINDS``.
        selected: (n,) bool.
        background: (m, 2) of background centroids.
    """

    entry: dict[str, Any]
    points: NDArray[np.float32]
    kinds: NDArray[np.int8]
    selected: NDArray[np.bool_]
    background: NDArray[np.float32]


def collect(run: Run) -> list[ClassPlane]:
    """Lay each class's candidates into the plane, together with the background.

    Raises:
        LackingError: where there is no table of candidates, or none of a class is in it.
    """
    table = run.candidates()
    if table is None:
        raise LackingError("the run has no table of candidates (candidates.parquet of debias-centroids)")
    entries = shares(read_candidates(table))
    if not entries:
        raise LackingError(f"{table}: holds no candidate of a class")
    vectors = vectors_by_class(table, MOST)
    background = vectors["background"].vectors if "background" in vectors else None
    return [_laid_out(entry, vectors[entry["name"]], background) for entry in entries]


def _laid_out(entry: dict[str, Any], own: ClassVectors, background: NDArray[np.float32] | None) -> ClassPlane:
    together = own.vectors if background is None else np.concatenate([own.vectors, background])
    flat, count = embedded(together), len(own.vectors)
    return ClassPlane(entry, flat[:count], own.kinds, own.selected, flat[count:])


def embedded(vectors: NDArray[np.float32], seed: int = SEED) -> NDArray[np.float32]:
    """Lay vectors (n, D) into the plane by t-SNE on cosine distances, the same way each time: (n, 2)."""
    if len(vectors) < FEWEST:
        return plane(vectors)
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    with threadpool_limits(limits=1):  # with several threads sums are added as they end
        made = TSNE(2, perplexity=perplexity, metric="cosine", init="random", random_state=seed)
        return np.asarray(made.fit_transform(vectors.astype(np.float64)), dtype=np.float32)


def draw(planes: Sequence[ClassPlane]) -> Figure:
    """Draw a panel a class, with the share of targets among all candidates and among the selected."""
    across = min(COLUMNS if len(planes) <= 5 * COLUMNS else 2 * COLUMNS, len(planes))
    down = -(-len(planes) // across)
    figure = blank(2.3 * across, 2.35 * down + 0.5)
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for axes, one in zip(grid, planes, strict=False):
        _panel(axes, one)
    for axes in grid[len(planes) :]:
        axes.axis("off")
    figure.legend(handles=_legend(planes), loc="outside lower center", ncols=6, handletextpad=0.2, columnspacing=1.4)
    return figure


def _panel(axes: Any, one: ClassPlane) -> None:
    shown = colours()
    axes.scatter(*one.background.T, s=3.5, color=shown["before"], alpha=FAINT, linewidths=0)
    for kind in ("unknown", "between", "biased", "target"):
        for chosen in (False, True):
            rows = (one.kinds == KINDS.index(kind)) & (one.selected == chosen)
            shade = shown["between" if kind == "unknown" else kind]
            face = shade if chosen else "none"
            size = 13 if kind in ("target", "biased") else 7
            axes.scatter(*one.points[rows].T, s=size, facecolors=face, edgecolors=shade, linewidths=0.7)
    before, after = one.entry["before_share"], one.entry["after_share"]
    ratio = (
        f"{percent(before, 0)} → {percent(after, 0)} %"
        if after is not None
        else f"{one.entry['after']['all']} selected"
    )
    axes.set_title(f"{one.entry['name']}: {ratio}", fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set(visible=True, color=shown["rule"])
    axes.margins(0.04)


def _legend(planes: Sequence[ClassPlane]) -> list[Line2D]:
    shown, known = colours(), any(one.entry["before_share"] is not None for one in planes)
    kinds = (
        (("target", "target"), ("biased", "biased"), ("between", "between")) if known else (("between", "candidate"),)
    )
    dot: dict[str, Any] = {"marker": "o", "linestyle": "none", "markersize": 5}
    handles = [Line2D([], [], color=shown[key], label=words, **dot) for key, words in kinds]
    soft = shown["soft"]
    handles += [Line2D([], [], color=soft, label="selected", **dot)]
    handles += [Line2D([], [], color=soft, markerfacecolor="none", label="not selected", **dot)]
    return [*handles, Line2D([], [], color=shown["before"], alpha=FAINT, label="background", **dot)]


def caption(planes: Sequence[ClassPlane]) -> str:
    """Say what the points are, and the ratios over all classes."""
    counts = {key: {kind: sum(one.entry[key][kind] for one in planes) for kind in ("target", "biased")}
              for key in ("before", "after")}  # fmt: skip
    whole = {key: each["target"] / total if (total := sum(each.values())) else None for key, each in counts.items()}
    ratios = (
        f" A candidate is a target where its region's IoU with the truth is above {TARGET_ABOVE}, biased below "
        f"{BIASED_BELOW}; the selection never sees it. Over each panel: the share of targets among targets and biased, "
        f"of all candidates and of the selected; over all classes {percent(whole['before'], 0)} → "
        f"{percent(whole['after'], 0)} %."
        if whole["after"] is not None
        else " Without true masks nobody knows which are targets."
    )
    return (
        "As in Fig. 8, every class: its candidates and the background centroids of all images, laid into the plane by "
        f"t-SNE on cosine distances (seed {SEED}, at most {MOST} of each).{ratios}"
    )
