"""``mars evaluate``: mIoU, FP and FN of a folder of masks, as a table and as JSON."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from datamodules.errors import DataError
from datamodules.files.about import read_about
from datamodules.files.shards.place import place
from datamodules.terminal import terminal
from mars_pl.commands.data_choice import data_choice
from mars_pl.commands.evaluate.mask_folders import Counts, Folders, count_image
from mars_pl.commands.file_loop import each_image
from mars_pl.commands.json_files import null_for_nan, write_json
from mars_pl.commands.metrics_table import fraction, percent, provenance, scored_classes
from mars_pl.metrics.scores import Scores


def main(argv: Sequence[str]) -> int:
    """Score a folder of masks and print the result.

    Args:
        argv: the words after ``mars evaluate``.

    Raises:
        DataError: where a mask is missing or does not fit its truth, or a class has an unknown name.
    """
    options = parser().parse_args(argv)
    names, scored = (
        data_choice(options.data, options.root) if options.data else (_with_background(_words(options.names)), None)
    )
    scored = _words(options.scored) or scored
    over = None if scored is None else [_index(name, names) for name in scored]
    truth, *others = (path and place(path) for path in (options.truth, options.companion, options.reference))
    folders = Folders(place(options.predictions), truth, *others)
    ids = folders.ids(options.list)
    if options.where_truth:
        ids = [image_id for image_id in ids if (truth / f"{image_id}.png").is_file()]
    count = partial(count_image, folders=folders, num_classes=len(names))
    images = each_image(count, ids, "scoring", options.workers)  # threads: decoding PNG frees the GIL
    counts = reduce(add, images, Counts.none(len(names)))
    row = {
        "row": options.row,
        "split": options.split,
        "images": len(ids),
        **row_figures(counts, folders, names, over),
        **_about(options),
        "scored": scored,
    }
    _print(row)
    if options.json:
        write_json(options.json, row)
    return 0


def row_figures(counts: Counts, folders: Folders, names: Sequence[str], over: Sequence[int] | None) -> dict[str, Any]:
    """Turn counts into the figures of a row of ``metrics.json``.

    Args:
        counts: of all images.
        folders: those that are None were not measured.
        names: of the classes, background first.
        over: class ids of means and shares; None takes all.

    Returns:
        Fractions; None where there was nothing to measure.
    """
    scores = Scores.from_counts(counts.classes, over)
    per_class: dict[str, dict[str, float | None]] = {}
    for index, name in enumerate(names):
        figures = {"iou": scores.iou[index], "fp": scores.class_fp[index], "fn": scores.class_fn[index]}
        per_class[name] = {key: null_for_nan(value) for key, value in figures.items()}
        if folders.companion is not None and index > 0:
            per_class[name]["companion"] = _share(counts.companion_labelled[index], counts.companion[index])
        if folders.reference is not None and index > 0:
            per_class[name]["kept"] = _share(counts.right_still[index], counts.right_before[index])
    scored = slice(None) if over is None else list(over)
    return {
        **{key: null_for_nan(value) for key, value in scores.as_row().items()},
        "companion": _share(counts.companion_labelled[scored].sum(), counts.companion[scored].sum()),
        "kept": _share(counts.right_still[scored].sum(), counts.right_before[scored].sum()),
        "per_class": per_class,
    }


def summary(row: Mapping[str, Any]) -> str:
    """Return the row in one line, as DHR's evaluator prints it: ``mIoU 79.6 %  FP .127  FN .077``."""
    parts = [f"mIoU {percent(row['miou'])} %", f"FP {_short(row['fp'])}", f"FN {_short(row['fn'])}"]
    parts += [f"{key} {_short(row[key])}" for key in ("companion", "kept") if row[key] is not None]
    return "  ".join(parts)


def _about(options: argparse.Namespace) -> dict[str, Any]:
    """How the masks were made: as told, else as their writer left it beside them in ``about.json``."""
    left = read_about(options.predictions)
    told = {
        "refinement": options.refinement,
        "network": options.network,
        "multi_scale": options.multi_scale or None,
        "scales": options.scales,
        "flip": options.flip,
        "window": None,  # only a writer tells this and the next
        "resampling": None,
        "note": options.note,
    }
    about = {key: left.get(key) if value is None else value for key, value in told.items()}
    return {**about, "multi_scale": bool(about["multi_scale"]) or len(about["scales"] or ()) > 1}


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    reader = argparse.ArgumentParser(prog="mars evaluate", description="mIoU, FP and FN of a folder of masks.")
    reader.add_argument(
        "predictions", type=Path, help="folder of <image id>.png, or of their shards; 254 and 255 are background"
    )
    reader.add_argument("truth", type=Path, help="folder of <image id>.png; 255 is skipped")
    reader.add_argument("--list", type=Path, metavar="FILE", help="image ids, one a line (default: every prediction)")
    words = "score those of the images that have a truth; their number is said"
    reader.add_argument("--where-truth", action="store_true", help=words)
    classes = reader.add_mutually_exclusive_group(required=True)
    classes.add_argument(
        "--data", metavar="NAME|YAML", help="data set whose classes apply: voc, coco, … or a data YAML"
    )
    classes.add_argument("--names", metavar="A,B,…", help="class names in the order of their ids, from class 1")
    words = "data folder that holds the class names, where the YAML leaves them to it (default: the YAML's root)"
    reader.add_argument("--root", type=Path, metavar="DIR", help=words)
    reader.add_argument("--scored", default="", metavar="A,B,…", help="take the means over these classes only")
    reader.add_argument("--companion", type=Path, metavar="DIR", help="companion masks: measure what is labelled")
    reader.add_argument("--reference", type=Path, metavar="DIR", help="labels Yᵇ: measure what stays right")
    about = reader.add_argument_group("what the JSON says about the figures")
    about.add_argument("--row", metavar="NAME", help="row of metrics.json: pseudo, debiased, final, …")
    about.add_argument("--split", metavar="NAME", help="split the images are from")
    about.add_argument("--refinement", metavar="NAME", help="refinement the masks went through: crf, pamr, none")
    about.add_argument("--network", choices=("teacher", "student"), help="network that predicted the masks")
    about.add_argument("--multi-scale", action="store_true", help="the masks are from several scales")
    about.add_argument("--scales", type=_scales, metavar="S,S,…", help="the scales: 1,0.5,1.5,2")
    flip = argparse.BooleanOptionalAction
    about.add_argument("--flip", action=flip, help="the masks are from images and their mirror images")
    about.add_argument("--note", metavar="TEXT", help="anything else a reader has to know")
    reader.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    reader.add_argument("--workers", type=int, metavar="N", help="threads (default: a core each, at most 8)")
    return reader


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _scales(text: str) -> list[float]:
    return [float(word) for word in _words(text)]


def _with_background(names: Sequence[str]) -> tuple[str, ...]:
    """Complete names that start with class 1."""
    return tuple(names) if names[:1] == ["background"] else ("background", *names)


def _index(name: str, names: Sequence[str]) -> int:
    if name not in names:
        raise DataError(f"--scored {name}: no such class; there are {', '.join(names)}")
    return names.index(name)


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _short(value: float | None) -> str:
    """Return a fraction without its leading zero, as papers print FP and FN."""
    return fraction(value).removeprefix("0")


def _print(row: Mapping[str, Any]) -> None:
    """Print a table of the classes with the means below, and the line to remember."""
    columns = [name for name in ("companion", "kept") if row[name] is not None]
    table = Table(box=SIMPLE_HEAD, title=provenance(row), title_justify="left", title_style="", pad_edge=False)
    table.add_column("class")
    for heading in ("IoU %", "FP", "FN", *columns):
        table.add_column(heading, justify="right", no_wrap=True)
    some = "scored " if row["scored"] else ""
    totals = {
        f"mean, {some}foreground": {"fp": row["fp"], "fn": row["fn"]},
        f"mean, all {some}classes": {"iou": row["miou"], "fp": row["fp_all"], "fn": row["fn_all"]},
    }
    if columns:
        totals["all pixels of scored classes" if some else "all pixels"] = {name: row[name] for name in columns}
    for group in (row["per_class"], totals):
        for name, figures in group.items():
            cells = [percent(figures.get("iou")), fraction(figures.get("fp")), fraction(figures.get("fn"))]
            table.add_row(name, *cells, *(fraction(figures.get(column)) for column in columns))
        table.add_section()
    console = terminal(width=100)
    console.width = min(console.width, 100)
    console.print(table)
    nothing = "no pixel of any class in truth or masks: background alone was measured; are the classes 1, 2, … there?"
    for line in (scored_classes({"": row}), row["note"], nothing if row["fp"] is None else "", summary(row)):
        if line:
            console.print(line)
