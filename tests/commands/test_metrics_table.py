"""The rows of a run on the terminal, and the words of its numbers."""

from datamodules.terminal import terminal
from mars_pl.commands.metrics_table import fraction, measured_by, percent, rows_table, scored_classes, title
from mars_pl.commands.report.run import merge, open_run
from tests.fakes.fake_run import make_run


def test_words_of_the_numbers():
    assert (percent(0.1234), percent(None), fraction(0.5), fraction(None)) == ("12.3", "–", "0.500", "–")
    assert (title("pseudo"), title("final"), title("mars_removal"), title("final-seed2")) == (
        "Yᵇ pseudo labels", "MARS network", "mars removal", "MARS network, seed 2",
    )  # fmt: skip
    assert title("final-round2-seed1") == "MARS network, round 2, seed 1"
    assert title("labels-baseline-round3") == "labels of the baseline, round 3"
    assert measured_by({"network": "teacher", "multi_scale": True, "refinement": "crf"}) == "teacher, multi-scale, crf"
    assert measured_by({"network": None, "refinement": "none"}) == "no refinement"
    seen = {"network": "student", "multi_scale": True, "scales": [1.0, 0.5], "flip": True, "refinement": "crf"}
    assert measured_by(seen) == "student, scales 1 0.5, flip, crf"
    seen |= {"multi_scale": False, "scales": [1.0], "flip": False, "window": [512, 341]}
    assert measured_by(seen) == "student, scale 1, no flip, windows of 512 every 341, crf"
    seen = {"network": "teacher", "scales": [1.0], "flip": True, "resampling": "corners", "refinement": "crf"}
    assert measured_by(seen) == "teacher, scale 1, flip, corners aligned, crf"
    assert measured_by(seen | {"resampling": "centres"}) == "teacher, scale 1, flip, crf"
    assert measured_by({}) == "refinement –"
    assert scored_classes({"a": None, "b": {"scored": ["cat", "dog"]}}) == "mean over 2 classes: cat, dog"
    assert scored_classes({"b": {"scored": None}}) == ""


def test_the_table_fits_a_terminal_of_80_columns(tmp_path):
    run = open_run(str(make_run(tmp_path, images=1)))
    console = terminal()
    console.width = 80
    with console.capture() as capture:
        console.print(rows_table(merge(run)["rows"]))
    assert "…" not in capture.get()
    assert "Yᶜᵒ complemented labels" in capture.get()
