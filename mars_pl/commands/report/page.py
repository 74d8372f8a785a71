"""The page of a run: every number in one HTML file that needs nothing from outside, and its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mars_pl.commands.metrics_table import judged_on, percent, scored_classes
from mars_pl.commands.report.charts import curves, scatter
from mars_pl.commands.report.class_table import class_bars, class_table
from mars_pl.commands.report.figures import drawn_figures
from mars_pl.commands.report.gap import gap, unlike
from mars_pl.commands.report.learning import learning
from mars_pl.commands.report.run import Metrics, Run
from mars_pl.commands.report.selection import candidates_of_classes, plane, read_candidates, shares, two_most_biased
from mars_pl.commands.report.settings import choices, stage_files, versions
from mars_pl.commands.report.shapes import REMOVED, SWEEP
from mars_pl.commands.report.sweep import own_sweeps, swept_panels
from mars_pl.commands.report.template import render
from mars_pl.commands.row_names import last_round


def page(run: Run, metrics: Metrics, told: Mapping[str, Any]) -> str:
    """Return the page as HTML.

    Args:
        run: the run, with the files of its stages.
        metrics: its merged numbers.
        told: of the images, see `page_images`.
    """
    rows = metrics["rows"]
    return render(
        "report.html",
        run=run,
        metrics=metrics,
        rows=rows,
        choices=choices(run),
        final=last_round(rows),
        scored=scored_classes(rows),
        unlike=unlike(rows),
        closed={name: gap(rows, ("baseline", name, "supervised"))["closed"] for name in rows},
        classes=class_table(rows),
        bars=class_bars(rows),
        selection=_selection(run, metrics),
        removed=_removed(run),
        sweep=_sweep(run),
        told=told,
        learning=learning(run),
        swept=[swept_panels(sweep) for sweep in own_sweeps(run)],
        drawn=drawn_figures(run),
        seconds=metrics["seconds"],
        files=stage_files(run),
        versions=versions(),
    )


def _selection(run: Run, metrics: Metrics) -> dict[str, Any]:
    numbers = metrics["selection"]
    result: dict[str, Any] = {"numbers": numbers, "classes": [], "scatters": [], "headline": _shares(numbers)}
    result["judged_on"] = judged_on(numbers)
    table = run.candidates()
    if table is None:
        return result
    entries = result["classes"] = shares(read_candidates(table))
    biased = two_most_biased(entries)
    rows = candidates_of_classes(table, biased) if biased else []
    for name in biased:
        own = [(candidate, vector) for candidate, vector in rows if candidate.class_name == name]
        candidates, vectors = zip(*own, strict=True)
        entry = next(entry for entry in entries if entry["name"] == name)
        result["scatters"].append({"name": name, "svg": scatter(plane(np.stack(vectors)), candidates), "entry": entry})
    return result


def _shares(numbers: Mapping[str, Any]) -> list[tuple[str, float | None, float]]:
    """Target shares that are no class's: among all candidates, among the classes with a companion."""
    after, before = numbers.get("target_share") or {}, numbers.get("target_share_before") or {}
    return [(name, before.get(name), after[name]) for name in ("all", "companion") if after.get(name) is not None]


def _removed(run: Run) -> list[tuple[str, float]]:
    """Share of each class's pixels that was removed; a class without a pixel has none."""
    content = run.stage_json(run.debiased_stage, "removed.json", REMOVED) or {}
    return [(name, value) for name, value in content.get("removed", {}).items() if value is not None]


def _sweep(run: Run) -> dict[str, Any] | None:
    sweep = run.stage_json("wsss-labels", "sweep.json", SWEEP) or {}
    scores = [score for score in sweep.get("scores", []) if score.get("miou") is not None]
    if len(scores) < 2:
        return None
    scores.sort(key=lambda score: score["background"])
    best = max(scores, key=lambda score: score["miou"])
    chosen = sweep.get("background_scores") or {}
    marks = [(best["background"], f"best: {best['background']:g}, mIoU {percent(best['miou'])}")]
    marks += [(value, f"{name}: {value:g}") for name, value in chosen.items()]
    names = (("miou", "mIoU", "after"), ("fp", "FP", "before"), ("fn", "FN", "third"))
    series = [(words, style, [score.get(field) for score in scores]) for field, words, style in names]
    svg = curves([score["background"] for score in scores], series, axis="background score", marks=marks)
    return {"svg": svg, "row": {key: sweep.get(key) for key in ("split", "images", "refinement")}}
