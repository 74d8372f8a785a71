"""Names of what `mars run mars data=voc` makes, and what follows from what."""

PAPER = [
    "wsss-classifier",
    "wsss-labels",
    "uss-neighbours",
    "uss-fit",
    "debias-centroids",
    "debias-labels",
    "segment mars",
    "segment-masks mars",
    "segment-complemented mars",
]
BASELINE = ["segment baseline", "segment-masks baseline"]
ROWS = ["pseudo", "debiased", "complemented", "pseudo-baseline", "baseline", "final"]

MARS = {*PAPER[6:], "row final", "row complemented"}
AFTER_LABELS = MARS | {"debias-labels", "row debiased"}
PROBED = MARS | {"debias-probe", "debias-probed", "row debiased"}
AFTER_CENTROIDS = AFTER_LABELS | {"debias-centroids"}
AFTER_USS = AFTER_CENTROIDS | {"uss-fit"}
AFTER_WSSS = AFTER_CENTROIDS | {"wsss-labels", *BASELINE, "row baseline", "row pseudo", "row pseudo-baseline"}
EVERY = {*PAPER, *BASELINE, *(f"row {row}" for row in ROWS)}
LABELLED = EVERY - {"uss-fit", "uss-neighbours"}
MEASURED = {"wsss-labels", "debias-centroids", *(f"row {row}" for row in ROWS)}

FAR = 4_000_000_000
"""Seconds of a clock that is far ahead."""
