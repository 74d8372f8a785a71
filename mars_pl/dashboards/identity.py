"""Who a run in Weights & Biases is, and how `mars run` tells it to the command of a stage."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Mode = Literal["offline", "online"]
MODES: tuple[str, ...] = get_args(Mode)

MARS_WANDB = "MARS_WANDB"
"""Environment variable in which a fit finds its identity."""

PROJECT = "mars"
"""Where WANDB_PROJECT names none."""

LONGEST_TAG = 64
"""Characters; W&B refuses a run with a longer one."""


@dataclass(frozen=True)
class Identity:
    """One run there.

    Attributes:
        mode: ``offline`` writes files that `wandb sync` takes, ``online`` sends them at once.
        folder: in which the files lie.
        id: under which a run that goes on is found again.
        group: the run of `mars run`.
        job_type: the stage.
        name: for people.
        tags: the choices.
        config: settings, nested, by which tables sort.
        artifacts: labels and weights go there too.
    """

    mode: Mode
    folder: str
    id: str
    group: str
    job_type: str
    name: str
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    artifacts: bool = False

    def environment(self) -> dict[str, str]:
        """Return the variable that tells it to a command."""
        return {MARS_WANDB: json.dumps(asdict(self), ensure_ascii=False, default=str)}

    @classmethod
    def told(cls) -> Identity | None:
        """Return what this process was told; None where nothing is to be logged."""
        text = os.environ.get(MARS_WANDB)
        if not text:
            return None
        said = json.loads(text)
        return cls(**said | {"tags": tuple(said["tags"])})

    def words(self) -> dict[str, Any]:
        """Return the arguments of `wandb.init`."""
        tags = dict.fromkeys(tag[:LONGEST_TAG] for tag in self.tags if tag)
        return {
            "project": os.environ.get("WANDB_PROJECT") or PROJECT,
            "dir": self.folder,
            "id": self.id,
            "group": self.group,
            "job_type": self.job_type,
            "name": self.name,
            "tags": list(tags),
            "config": self.config,
            "mode": self.mode,
            "resume": "allow" if self.mode == "online" else None,  # files of one id come together when they are synced
        }
