"""The stages of a sweep: features stored once, then centroids, labels and their row for each point (§3.2, §3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datamodules.errors import DataError
from mars_pl.commands.run.refusals import refuse_unknown
from mars_pl.commands.run.targets import label_row, network_row
from mars_pl.commands.sweep.grid import Point
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.stage import Stage, with_inputs
from mars_pl.pipeline.stages.debiasing import FEATURES
from mars_pl.pipeline.stages.pipeline import Pipeline


@dataclass(frozen=True)
class PointStages:
    """What one point makes.

    Attributes:
        point: its settings and choices.
        own: its stages by their names, ``debias-centroids`` the first.
        rows: what is scored, ``debiased`` and with networks ``final``.
    """

    point: Point
    own: dict[str, Stage]
    rows: dict[str, Stage]


@dataclass(frozen=True)
class Plan:
    """All stages of a sweep.

    Attributes:
        upstream: what the points read and the run has made: labels Yᵇ and the network of the pixel features.
        features: the stage that stores the features which all points read.
        points: in the order of the grid.
    """

    upstream: tuple[Stage, ...]
    features: Stage
    points: tuple[PointStages, ...]

    def stages(self, places: Places) -> list[Stage]:
        """Return every stage once, inputs first."""
        wanted = [stage for one in self.points for stage in (*one.own.values(), *one.rows.values())]
        return places.each_once(with_inputs([self.features, *wanted]))


def plan_sweep(choices: Choices, points: Sequence[Point], *, networks: bool) -> Plan:
    """Plan the stages.

    All points, that of the run's own settings too, read the same stored features, so that they differ by their settings
    alone.

    Args:
        choices: of the run.
        points: of the grid.
        networks: train the last stage for each point too.

    Raises:
        DataError: where there is no truth, or a stage does not take a setting.
    """
    truth = choices.place(choices.truth)
    if not truth.is_dir():
        raise DataError(f"{truth}: no true masks to measure a sweep with; mars run … truth= says where they lie")
    base = Pipeline(replace(choices, features=True, shifts=1)).centroids
    plain = tuple(stage for stage in with_inputs([base]) if stage is not base)
    stored = base / FEATURES
    planned = []
    for point in points:
        pipeline = Pipeline(replace(point.choices, features=False), stored)
        own = {"debias-centroids": pipeline.centroids, pipeline.debiased.name: pipeline.debiased}
        rows = {"debiased": label_row(pipeline, "debiased", pipeline.debiased / "")}
        if networks:
            own |= {"segment": pipeline.final.fit, "segment-masks": pipeline.final.masks}
            rows["final"] = network_row(pipeline, point.choices.train, "final", point.choices.rounds)
        refuse_unknown(point.choices, list(own.values()))
        planned.append(PointStages(point, own, rows))
    return Plan(plain, base, tuple(planned))


def check_plan(plan: Plan, places: Places, run: Path) -> None:
    """Refuse a sweep that would make the run's own stages again, or whose points are the same.

    Raises:
        DataError: where a stage that all points read is not finished, or a setting changes nothing.
    """
    for stage in plan.upstream:
        if not places.of(stage).finished:
            raise DataError(
                f"{run}: its {stage.name} is not made, or not as the settings are now; make the run again first"
            )
    seen: dict[tuple[Path, ...], Point] = {}
    for one in plan.points:
        key = tuple(places.of(stage).key for stage in one.rows.values())
        if key in seen:
            raise DataError(
                f"{seen[key]} and {one.point} are the same: a setting that this run was told for the stage stands "
                "above; sweep that one, <stage>.<setting>=…"
            )
        seen[key] = one.point
