"""Who looks on while stages are made."""

from __future__ import annotations

from mars_pl.pipeline.execution.places import Place


class Watcher:
    """Is told of each stage before and after; this one does nothing. What it does changes no result."""

    def environment(self, place: Place) -> dict[str, str]:
        """Return what a stage's command finds in its environment; its ``.part`` folder is there."""
        return {}

    def made(self, place: Place) -> None:
        """Look at a finished stage; stages that run side by side come at the same time."""
