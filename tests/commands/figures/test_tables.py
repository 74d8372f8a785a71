"""Tables 4 to 6 from rows, as Markdown and as LaTeX."""

import json

import pytest

from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.figures.paper_tables import runs_at_hand, table4, table5, table6
from mars_pl.commands.figures.tables import Line, PaperTable, escaped, latex, markdown
from mars_pl.commands.report.run import open_run
from tests.fakes.fake_run import change, make_run


def named(folder, name, **choices):
    """Make a run of other choices beside others, its figures those that are said."""
    figures = {key: choices.pop(key) for key in ("baseline", "final", "supervised") if key in choices}
    run = make_run(folder / name, images=1).rename(folder / name / "run")
    (folder / "runs").mkdir(exist_ok=True)
    run = run.rename(folder / "runs" / name)
    for row, miou in figures.items():
        change(run / f"rows/{row}.json", miou=miou)
    told = json.loads((run / "run.json").read_text())["choices"]
    change(run / "run.json", choices=told | choices)
    return run


def test_table_4_holds_the_runs_beside_this_one_by_their_uss_method(tmp_path):
    own = named(tmp_path, "own", baseline=0.5, final=0.7)
    named(tmp_path, "other", uss="leopart", final=0.6)
    named(tmp_path, "seed1", seed=1, baseline=0.6, final=0.9)
    elsewhere = named(tmp_path, "elsewhere")
    change(elsewhere / "run.json", data="voc")
    unlike = named(tmp_path, "unlike")
    change(unlike / "rows/final.json", refinement="pamr")
    (tmp_path / "runs/damaged").mkdir()
    (tmp_path / "runs/damaged/run.json").write_text("{")
    table = table4(open_run(str(own)))
    assert [line.cells[:4] for line in table.lines] == [
        ("cam", "×", "small", "55.0"), ("+ MARS", "stego", "small", "80.0"), ("+ MARS", "leopart", "small", "60.0"),
    ]  # fmt: skip
    assert "cam with stego: mean over 2 seeds" in table.caption and "val, 240 images" in table.caption


def test_runs_that_were_set_otherwise_are_no_seeds_of_this_one(tmp_path):
    own = named(tmp_path, "own", final=0.7)
    named(tmp_path, "mixed", final=0.8, mixing=True, options={"segment.trainer.max_epochs": "3"})
    named(tmp_path, "seed1", seed=1, final=0.9, trainer="cpu", also=["debiased"])
    table = table4(open_run(str(own)))
    assert [line.cells[0] for line in table.lines] == [
        "cam", "+ MARS", "cam mixing=true segment.trainer.max_epochs=3", "+ MARS",
    ]  # fmt: skip
    assert [line.cells[3] for line in table.lines if line.strong] == ["80.0", "80.0"], "(.7 + .9) / 2, and .8"


def second_round(run, **figures):
    """Give a run the row of a second round."""
    row = json.loads((run / "rows/final.json").read_text())
    (run / "rows/final-round2.json").write_text(json.dumps(row | figures))
    rows = json.loads((run / "run.json").read_text())["rows"]
    change(run / "run.json", rows=rows | {"final-round2": "rows/final-round2.json"})


def test_a_run_s_network_is_that_of_its_last_round(tmp_path):
    own = named(tmp_path, "own", baseline=0.5, final=0.6, supervised=0.9)
    other = named(tmp_path, "rounds", baseline=0.5, final=0.6, supervised=0.9, rounds=2)
    second_round(other, miou=0.8)
    for table, place in ((table4(open_run(str(own))), 3), (table5(open_run(str(own))), 2)):
        strong = [line.cells[place] for line in table.lines if line.strong]
        assert strong == ["60.0", "80.0"], table.name
    assert [line.cells[-1] for line in table.lines if line.strong] == ["25 %", "75 %"]


def test_table_5_says_how_much_of_the_gap_closes(tmp_path):
    own = named(tmp_path, "own", baseline=0.5, final=0.7, supervised=0.9)
    named(tmp_path, "irn", wsss="irn", baseline=0.6, final=0.7, supervised=1.0)
    table = table5(open_run(str(own)))
    assert [(line.cells[0], line.cells[2], line.cells[-1], line.begins) for line in table.lines] == [
        ("cam", "50.0", "", True), ("+ MARS", "70.0", "50 %", False), ("full supervision", "90.0", "", False),
        ("irn", "60.0", "", True), ("+ MARS", "70.0", "25 %", False), ("full supervision", "100.0", "", False),
    ]  # fmt: skip


def test_labels_of_another_method_go_by_their_folder(tmp_path):
    run = named(tmp_path, "own", labels="masks/of_theirs")
    assert [one.wsss for one in runs_at_hand(open_run(str(run)))] == ["of_theirs"]


def test_table_6_has_the_parts_that_were_trained(tmp_path):
    run = named(tmp_path, "own", baseline=0.5, final=0.7)
    with pytest.raises(LackingError, match="no row complement and no row debiased-network"):
        table6(open_run(str(run)))
    row = json.loads((run / "rows/final.json").read_text())
    (run / "rows/complement.json").write_text(json.dumps(row | {"miou": 0.6}))
    rows = json.loads((run / "run.json").read_text())["rows"]
    change(run / "run.json", rows=rows | {"complement": "rows/complement.json"})
    table = table6(open_run(str(run)))
    assert [line.cells[1:4] for line in table.lines] == [("×", "×", "50.0"), ("✓", "×", "60.0"), ("✓", "✓", "70.0")]
    second_round(run, miou=0.75)
    last = table6(open_run(str(run))).lines[-1]
    assert last.cells[:4] == ("MARS, round 2", "✓", "✓", "75.0") and last.strong


def test_table_6_names_the_training_that_the_run_chose(tmp_path):
    run = named(tmp_path, "own", train="mars_removal", baseline=0.5, final=0.7)
    rows = json.loads((run / "run.json").read_text())["rows"]
    for name in ("mars", "complement"):
        (run / f"rows/{name}.json").write_text((run / "rows/final.json").read_text())
        rows[name] = f"rows/{name}.json"
    change(run / "run.json", rows=rows)
    words = ["baseline, learns Yᵇ", "without the certain mask", "MARS", "MARS, train=mars_removal"]
    assert [line.cells[0] for line in table6(open_run(str(run))).lines] == words
    change(run / "run.json", rows={name: place for name, place in rows.items() if name != "mars"})
    for train, name in (("dhr", "MARS"), ("debiased", "learns Yᵈᵇ, biased pixels ignored")):
        told = json.loads((run / "run.json").read_text())["choices"]
        change(run / "run.json", choices=told | {"train": train})
        assert [line.cells[0] for line in table6(open_run(str(run))).lines][2:] == [name]


TABLE = PaperTable(
    "table9",
    "A title",
    ("Method", "mIoU %"),
    1,
    (Line(("a_b|c", "50.0"), begins=True), Line(("+ MARS", "70.0"), strong=True), Line(("d", "–"), begins=True)),
    "On 100 % of it.",
)


def test_markdown():
    assert markdown(TABLE) == (
        "**A title.** On 100 % of it.\n\n| Method | mIoU % |\n| :-- | --: |\n| a_b&#124;c | 50.0 |\n"
        "| + MARS | **70.0** |\n| d | – |\n"
    )


def test_latex():
    text = latex(TABLE)
    assert r"\caption{A title. On 100 \% of it.}" in text and r"\label{tab:table9}" in text
    body = text[text.index(r"\begin{tabular}{lr}") : text.index(r"\bottomrule")]
    assert [line.strip() for line in body.splitlines()[1:-1]] == [
        r"\toprule", r"Method & mIoU \% \\", r"\midrule", r"a\_b|c & 50.0 \\", r"+ MARS & \textbf{70.0} \\",
        r"\midrule", r"d & -- \\",
    ]  # fmt: skip


def test_what_latex_reads_otherwise_is_escaped():
    assert escaped(r"50 % of a_b & {c} #1 $ ^ ~ \ × ✓ −1") == (
        r"50 \% of a\_b \& \{c\} \#1 \$ \textasciicircum{} \textasciitilde{} \textbackslash{} $\times$ \checkmark $-$1"
    )
