"""The page of a run: every number and picture in one HTML file that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from mars_pl.commands.metrics_table import (
    DASH,
    TITLES,
    fraction,
    is_label,
    judged_on,
    measured_by,
    percent,
    provenance,
    scored_classes,
    scored_on,
    title,
    views,
)
from mars_pl.commands.report.charts import curves, scatter
from mars_pl.commands.report.gap import gap, unlike
from mars_pl.commands.report.pictures import chip, gallery
from mars_pl.commands.report.run import Metrics, Run
from mars_pl.commands.report.selection import plane, read_candidates, read_vectors, shares, two_most_biased
from mars_pl.commands.report.shapes import REMOVED, SWEEP

_TEMPLATE = Path(__file__).with_name("report.html")
_LABEL_BARS = (("pseudo", "before"), ("debiased", "after"), ("complemented", "third"))
_NETWORK_BARS = (("baseline", "before"), ("final", "after"), ("supervised", "third"))
_LARGEST_FILE = 200_000


def page(run: Run, metrics: Metrics, pictures: int) -> str:
    """Return the page as HTML.

    Args:
        run: the run, with the files of its stages.
        metrics: its merged numbers.
        pictures: how many pictures the gallery shows.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "percent": percent, "fraction": fraction, "title": title, "provenance": provenance, "scored_on": scored_on,
        "measured_by": measured_by, "duration": duration, "chip": chip, "views": views,
    }  # fmt: skip
    rows = metrics["rows"]
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        run=run,
        metrics=metrics,
        rows=rows,
        choices=_choices(run),
        titles=TITLES,
        dash=DASH,
        scored=scored_classes(rows),
        unlike=unlike(rows),
        closed={name: gap(rows, ("baseline", name, "supervised"))["closed"] for name in rows},
        is_label=is_label,
        bars=_bars(rows),
        selection=_selection(run, metrics),
        removed=_removed(run),
        sweep=_sweep(run),
        gallery=gallery(run, pictures),
        class_names=run.class_names,
        seconds=metrics["seconds"],
        files=_settings(run),
    )


def duration(seconds: float) -> str:
    """Return a time as a person says it: 48 s, 3 min 10 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _bars(rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Per-class bars: FP as in Fig. 1(b), IoU as in Fig. 9, of the labels and of the networks."""
    charts = []
    for field in ("fp", "iou"):
        for subject, series in (("labels", _LABEL_BARS), ("networks", _NETWORK_BARS)):
            present = [(name, style, rows[name]) for name, style in series if (rows.get(name) or {}).get("per_class")]
            names = list(dict.fromkeys(key for _, _, row in present for key in row["per_class"]))
            if field == "fp":  # the background's FP are the objects' FN, it is no class with a companion
                names = [name for name in names if name != "background"]
            values = {
                name: [((row["per_class"].get(name) or {}).get(field), style) for _, style, row in present]
                for name in names
            }
            table = [(name, bars) for name, bars in values.items() if any(value is not None for value, _ in bars)]
            if not table:
                continue
            alike = {provenance(row) for _, _, row in present}
            longest = max(value for _, bars in table for value, _ in bars if value is not None)
            charts.append(
                {
                    "field": field,
                    "subject": subject,
                    "legend": present,
                    "shared": alike.pop() if len(alike) == 1 else "",
                    "classes": table,
                    "full": 1.0 if field == "iou" else longest or 1.0,
                }
            )
    return charts


def _selection(run: Run, metrics: Metrics) -> dict[str, Any]:
    numbers = metrics["selection"]
    result: dict[str, Any] = {"numbers": numbers, "classes": [], "scatters": [], "headline": _shares(numbers)}
    result["judged_on"] = judged_on(numbers)
    files = ("candidates.csv", "centroids.safetensors")
    table, vectors_path = (run.stage_file("debias-centroids", file) for file in files)
    candidates = read_candidates(table, run.class_names) if table is not None else []
    entries = result["classes"] = shares(candidates, run.class_names)
    vectors = read_vectors(vectors_path, len(candidates)) if candidates and vectors_path is not None else None
    if vectors is None:
        return result
    for name in two_most_biased(entries):
        places = [index for index, candidate in enumerate(candidates) if candidate.class_name == name]
        svg = scatter(plane(vectors[places]), [candidates[index] for index in places])
        entry = next(entry for entry in entries if entry["name"] == name)
        result["scatters"].append({"name": name, "svg": svg, "entry": entry})
    return result


def _shares(numbers: Mapping[str, Any]) -> list[tuple[str, float | None, float]]:
    """Target shares that are no class's: among all candidates, among the classes with a companion."""
    after, before = numbers.get("target_share") or {}, numbers.get("target_share_before") or {}
    return [(name, before.get(name), after[name]) for name in ("all", "companion") if after.get(name) is not None]


def _removed(run: Run) -> list[tuple[str, float]]:
    """Share of each class's pixels that was removed; a class without a pixel has none."""
    content = run.stage_json("debias-labels", "removed.json", REMOVED) or {}
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


def _settings(run: Run) -> list[tuple[str, str]]:
    """What each stage was told, its command and its configuration as run."""
    files = ("stage.json", "fit.yaml", "predict.yaml")
    paths = {f"{name}/{file}": folder / file for name, folder in run.stage_folders().items() for file in files}
    small = {name: path for name, path in paths.items() if path.is_file() and path.stat().st_size < _LARGEST_FILE}
    return [(name, path.read_text(encoding="utf-8", errors="replace")) for name, path in small.items()]


def _choices(run: Run) -> list[tuple[str, str]]:
    """What was chosen, each choice once, and the folders of the stages."""
    told = {key: run.manifest.get(key) for key in ("data", "seed")} | (run.manifest.get("choices") or {})
    lines = [(name, _said(value)) for name, value in told.items() if value not in (None, "", [], {})]
    return lines + [(name, folder.name) for name, folder in run.stage_folders().items()]


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={item}" for name, item in value.items())
    return (
        ", ".join(map(str, value)) if isinstance(value, list) else str(value).lower() if value is True else str(value)
    )
