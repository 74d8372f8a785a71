"""Many mutants of one reader's file, counted."""

from __future__ import annotations

import resource
import warnings
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.attempt import attempt
from tests.fuzz.mutants import mutants
from tests.fuzz.readers import READERS


def fuzz(name: str, count: int, folder: Path, report: Any) -> None:
    """Send how a reader ends at so many mutants; runs in a process of its own, which a reader may crash or fill."""
    warnings.simplefilter("ignore")
    reader = READERS[name]
    content = reader.make()
    attempt(reader, content, folder)
    before = _peak()
    found: dict[str, Any] = {"mutants": 0, "refused": 0, "read": 0, "uncaught": [], "slowest": 0.0, "peak": 0.0}

    @hypothesis.seed(0)
    @settings(
        max_examples=count, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def each(data: st.DataObject) -> None:
        mutant = data.draw(mutants(content))
        outcome = attempt(reader, mutant, folder)
        found["mutants"] += 1
        found["refused"] += outcome.refused
        found["read"] += not outcome.refused and outcome.uncaught is None
        found["slowest"] = max(found["slowest"], outcome.seconds)
        if outcome.uncaught:
            found["uncaught"].append(outcome.uncaught)
            (folder.parent / f"{found['mutants']}-{Path(reader.name).name}").write_bytes(mutant)

    each()
    found["peak"] = _peak() - before
    report.send(found)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
