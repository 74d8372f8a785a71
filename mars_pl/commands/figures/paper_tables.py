"""Tables 4 to 6 from the rows of a run and of the runs beside it: USS methods, WSSS methods, the last stage's parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datamodules.errors import DataError
from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.figures.tables import Line, PaperTable
from mars_pl.commands.metrics_table import DASH, fraction, percent, provenance
from mars_pl.commands.report.gap import GAP_ROWS, Row, gap, unlike
from mars_pl.commands.report.run import Run, open_run
from mars_pl.commands.row_names import OTHERWISE, final_training, last_round, later_rounds, row_name
from mars_pl.pipeline.run_folder import PLACES, choices_of, chosen_otherwise

BEFORE, AFTER, FULL = GAP_ROWS

OWN_COLUMNS = ("size", "wsss", "uss", "segmenter", "trainer", "tokens", "features", "fewest_steps")
"""Choices that stand in a column of their own, or are the machine's."""

Rows = Mapping[str, Row]


@dataclass(frozen=True)
class AtHand:
    """The runs of one choice of methods, which differ by their seeds.

    Attributes:
        wsss: name of where the pseudo labels come from.
        uss: of the pixel features.
        segmenter: the network.
        settings: what else was not chosen as the data set does, in the words of `mars run`.
        runs: rows of each; ``final`` is the last round's.
    """

    wsss: str
    uss: str
    segmenter: str
    settings: str
    runs: tuple[Rows, ...]

    @property
    def method(self) -> str:
        """The method whose labels are learnt, and the settings that its baseline may have too."""
        return " ".join([self.wsss, self.settings]).strip()

    def mean(self, row: str, field: str = "miou") -> float | None:
        """Return the mean of a row's figure over the runs; None where one has not got it."""
        values = [(rows.get(row) or {}).get(field) for rows in self.runs]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known and len(known) == len(values) else None

    @property
    def closed(self) -> float | None:
        """The share of the gap that MARS closes, of the means; None where the runs were not measured alike."""
        means = {
            name: {**rows[name], "miou": self.mean(name)} for rows in self.runs[:1] for name in GAP_ROWS if name in rows
        }
        return gap(means)["closed"]


def runs_at_hand(run: Run) -> list[AtHand]:
    """Return the run and those beside it that can stand in one table: same data, images and way of measuring.

    One that cannot be read, or has neither baseline nor MARS, is passed over.
    """
    own = _with_last_round(run)
    found: dict[tuple[str, str, str, str], list[Rows]] = {}
    for folder in [run.folder, *sorted(path.parent for path in run.folder.resolve().parent.glob("*/run.json"))]:
        if folder is not run.folder and folder.resolve() == run.folder.resolve():
            continue
        try:
            other = run if folder is run.folder else open_run(str(folder))
            rows = own if other is run else _with_last_round(other)
            methods = _methods(other)
        except DataError:
            continue
        same = other.manifest.get("data") == run.manifest.get("data")
        if same and rows.get(BEFORE) and rows.get(AFTER) and _alike(own, rows):
            found.setdefault(methods, []).append(rows)
    return [AtHand(*methods, tuple(runs)) for methods, runs in found.items()]


def _alike(own: Rows, rows: Rows) -> bool:
    """Whether both were measured in the same way; a run without networks fits to all."""
    return not own.get(AFTER) or not unlike({"own": own[AFTER], "other": rows[AFTER]}, ("own", "other"))


def _with_last_round(run: Run) -> Rows:
    rows = run.measured_rows()
    last = rows.get(last_round(rows))
    return rows if last is None else {**rows, AFTER: last}


def _methods(run: Run) -> tuple[str, str, str, str]:
    choices = choices_of(run.manifest)
    told = set(run.manifest["choices"]) - {*OWN_COLUMNS, *PLACES}
    own = {name: value for name, value in chosen_otherwise(choices).items() if name in told}
    words = [f"{name}={'true' if value is True else value}" for name, value in (own | dict(choices.options)).items()]
    return choices.label_name, choices.uss, choices.segmenter, " ".join(words)


def table4(run: Run) -> PaperTable:
    """Table 4: MARS under each USS method.

    Raises:
        LackingError: where no run has a baseline and MARS.
    """
    groups = runs_at_hand(run)
    if not groups:
        raise LackingError("no run at hand has the rows baseline and final, so there is nothing to put into it")
    lines: list[Line] = []
    for method, segmenter in dict.fromkeys((one.method, one.segmenter) for one in groups):
        own = [one for one in groups if (one.method, one.segmenter) == (method, segmenter)]
        lines.append(Line((method, "×", segmenter, *_figures(own[0], BEFORE)), begins=True))
        lines += [Line(("+ MARS", one.uss, segmenter, *_figures(one, AFTER)), strong=True) for one in own]
    heads = ("Method", "USS", "Segmentation", "mIoU %", "FP", "FN")
    caption = f"MARS under each USS method, as in Table 4. {_about(groups)}"
    return PaperTable("table4", "USS methods", heads, 3, tuple(lines), caption)


def table5(run: Run) -> PaperTable:
    """Table 5: MARS under each WSSS method, and how much of the gap to full supervision closes.

    Raises:
        LackingError: where no run has full supervision too.
    """
    groups = [one for one in runs_at_hand(run) if one.mean(FULL) is not None]
    if not groups:
        raise LackingError("no run at hand has the rows baseline, final and supervised: `mars run gap …` measures them")
    lines: list[Line] = []
    for method, segmenter in dict.fromkeys((one.method, one.segmenter) for one in groups):
        own = [one for one in groups if (one.method, one.segmenter) == (method, segmenter)]
        lines.append(Line((method, segmenter, *_figures(own[0], BEFORE), ""), begins=True))
        for one in own:
            closed = DASH if one.closed is None else f"{percent(one.closed, 0)} %"
            words = f"+ MARS ({one.uss})" if len(own) > 1 else "+ MARS"
            lines.append(Line((words, segmenter, *_figures(one, AFTER), closed), strong=True))
        lines.append(Line(("full supervision", segmenter, *_figures(own[0], FULL), "")))
    heads = ("Method", "Segmentation", "mIoU %", "FP", "FN", "gap closed")
    caption = f"MARS under each WSSS method, as in Table 5; the gap is the one to full supervision. {_about(groups)}"
    return PaperTable("table5", "WSSS methods", heads, 2, tuple(lines), caption)


PARTS = {
    BEFORE: ("baseline, learns Yᵇ", "×", "×"),
    "debiased-network": ("learns Yᵈᵇ, biased pixels ignored", "×", "×"),
    "complement": ("without the certain mask", "✓", "×"),
    "mars": ("MARS", "✓", "✓"),
}
"""Rows of Table 6: words, complementing, WCE."""


def table6(run: Run) -> PaperTable:
    """Table 6: what complementing and the weighted cross-entropy do.

    Raises:
        LackingError: where the run trained no network without one of them.
    """
    rows = run.measured_rows()
    missing = [name for name in (BEFORE, AFTER) if not rows.get(name)]
    if missing:
        raise LackingError(f"the run has no row {' and no row '.join(missing)}")
    if not any(rows.get(name) for name in ("debiased-network", "complement")):
        raise LackingError(
            "the run has no row complement and no row debiased-network: `mars run … also=debiased,complement`"
        )
    later = later_rounds(rows)
    train = final_training(choices_of(run.manifest).train)
    of_final = PARTS.get(OTHERWISE.get(train, train), (f"MARS, train={train}", "✓", "✓"))
    parts = PARTS | {AFTER: of_final} | {name: (f"MARS, round {row_name(name).number}", "✓", "✓") for name in later}
    lines = [
        Line((*words, percent(row["miou"]), fraction(row["fp"]), fraction(row["fn"])), strong=name in (AFTER, *later))
        for name, words in parts.items()
        if (row := rows.get(name))
    ]
    ways = dict.fromkeys(provenance(rows[name]) for name in parts if rows.get(name))
    heads = ("", "Complementing", "WCE (Eq. 7)", "mIoU %", "FP", "FN")
    caption = f"What the parts of the last stage do, as in Table 6. Networks, {' or '.join(ways)}."
    return PaperTable("table6", "Key components", heads, 3, tuple(lines), caption)


TABLES: Mapping[str, Callable[[Run], PaperTable]] = {"table4": table4, "table5": table5, "table6": table6}


def _figures(group: AtHand, row: str) -> tuple[str, ...]:
    return (percent(group.mean(row)), fraction(group.mean(row, "fp")), fraction(group.mean(row, "fn")))


def _about(groups: Sequence[AtHand]) -> str:
    ways = dict.fromkeys(provenance(rows[AFTER]) for one in groups for rows in one.runs)
    counts: dict[str, Any] = {f"{one.method} with {one.uss}": len(one.runs) for one in groups if len(one.runs) > 1}
    means = "; ".join(f"{name}: mean over {count} seeds" for name, count in counts.items())
    return f"Networks, {' or '.join(ways)}.{f' {means}.' if means else ''}"
