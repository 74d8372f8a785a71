"""Who looks on while a run is made."""

from __future__ import annotations

from mars_pl.pipeline.execution.watcher import Watcher
from mars_pl.pipeline.run_folder import Run


class Watching(Watcher):
    """Is told of each stage, and of each run when its report is there; this one does nothing."""

    def made_run(self, run: Run) -> None:
        """Look at a run."""
