"""A progress bar for loops that may turn out long."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.markup import escape
from rich.progress import Progress

from datamodules.terminal import terminal

Item = TypeVar("Item")

PATIENCE = 2.0
"""Seconds after which a progress bar appears."""


def with_progress(items: Iterable[Item], total: int | None, description: str) -> Iterator[Item]:
    """Pass the items on, under a progress bar on the terminal once it has taken a while; None is an unknown total."""
    console = terminal(stderr=True)
    progress, started = Progress(console=console, transient=True), time.monotonic()
    task = progress.add_task(escape(description), total=total)
    try:
        for item in items:
            if console.is_terminal and not progress.live.is_started and time.monotonic() - started > PATIENCE:
                progress.start()
            progress.advance(task)
            yield item
    finally:
        if progress.live.is_started:  # it would print an empty line
            progress.stop()
