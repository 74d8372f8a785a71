"""The one place that hands things to wandb: a run opened and closed, items turned into what it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mars_pl.dashboards.identity import Identity
from mars_pl.dashboards.items import Curve, Histogram, Item, Overlay, Table, class_labels

REFUSED = re.compile(r'[<>:"\\|?*\x00-\x1f]')
"""Characters that some file systems do not take: the pictures of a panel lie in files of its name."""


@contextmanager
def opened(identity: Identity, sweep: Mapping[str, str] | None = None) -> Iterator[Any]:
    """Open a run for what is there already, and close it; a fault closes it as failed.

    Args:
        identity: of the run.
        sweep: `sweep_id`, `run_id` and `sweep_param_path` of the sweep whose point this run is.
    """
    import wandb

    Path(identity.folder).mkdir(parents=True, exist_ok=True)
    settings = wandb.Settings(console="off", silent=True, x_disable_stats=True, **dict(sweep or {}))
    run = wandb.init(**identity.words(), reinit="create_new", settings=settings)
    try:
        yield run
    except BaseException:
        run.finish(exit_code=1)
        raise
    run.finish(exit_code=0)


def log(run: Any, items: Mapping[str, Item], names: Sequence[str] = ()) -> None:
    """Log items: a curve row by row, all else at one step.

    Args:
        run: of wandb.
        items: by the name of their panel.
        names: of the classes, for masks.
    """
    at_once: dict[str, Any] = {}
    for name, item in items.items():
        if isinstance(item, Curve):
            _log_curve(run, name, item)
        else:
            at_once[REFUSED.sub("_", name)] = shown(item, names)
    if at_once:
        run.log(at_once)


def log_files(run: Any, name: str, kind: str, place: Path) -> None:
    """Hand a file, or all files of a folder, on as an artifact; they are linked, not copied, on the way."""
    import wandb

    artifact = wandb.Artifact(re.sub(r"[^\w.-]", "_", name)[-128:], type=kind)
    if place.is_dir():
        artifact.add_dir(str(place), policy="immutable")
    else:
        artifact.add_file(str(place), policy="immutable")
    run.log_artifact(artifact)


def shown(item: Item, names: Sequence[str] = ()) -> Any:
    """Return an item as wandb takes it.

    Args:
        item: other than a curve.
        names: of the classes, for masks.
    """
    import wandb

    if isinstance(item, Overlay):
        labels = class_labels(item, names)
        masks = {name: {"mask_data": mask, "class_labels": labels} for name, mask in item.masks.items()}
        listed = [{"id": code, "name": name} for code, name in labels.items()]
        classes = wandb.Classes(listed)  # type: ignore[attr-defined]
        return wandb.Image(item.picture, masks=masks, classes=classes, caption=item.image_id)
    if isinstance(item, Table):
        rows = [[shown(cell, names) if isinstance(cell, Overlay) else cell for cell in row] for row in item.rows]
        return wandb.Table(columns=list(item.columns), data=rows)
    return wandb.Histogram(list(item.values)) if isinstance(item, Histogram) else item


def _log_curve(run: Any, name: str, curve: Curve) -> None:
    run.define_metric(f"{name}/{curve.along}", hidden=True)
    run.define_metric(f"{name}/*", step_metric=f"{name}/{curve.along}")
    for row in curve.rows:
        run.log({f"{name}/{key}": value for key, value in row.items() if value is not None})
