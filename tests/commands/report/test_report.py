import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from datamodules.errors import DataError
from datamodules.files.labels import BIASED, write_label
from mars_pl.commands.gap import command as gap
from mars_pl.commands.metrics_table import fraction, measured_by, percent, rows_table, scored_classes, terminal, title
from mars_pl.commands.report import command as report
from mars_pl.commands.report.choice import Removal, choose, removals
from mars_pl.commands.report.gap import gap as gap_of
from mars_pl.commands.report.page import duration
from mars_pl.commands.report.run import ROW_FIELDS, STANDARD_ROWS, merge, open_run
from mars_pl.commands.report.selection import Candidate, plane, read_candidates, read_vectors, shares, two_most_biased
from tests.fakes.fake_run import make_run


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path, images=6)


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_merged_metrics_have_the_layout_of_the_design(run, capsys):
    assert report.main([str(run), "--no-html"]) == 0
    metrics = json.loads((run / "metrics.json").read_text())
    assert list(metrics) == ["data", "seed", "choices", "rows", "selection", "gap", "seconds"]
    assert set(STANDARD_ROWS) < set(metrics["rows"])
    for row in metrics["rows"].values():
        assert set(ROW_FIELDS) <= set(row)
        assert "row" not in row
    assert metrics["rows"]["pseudo"]["per_class"]["train"].keys() >= {"iou", "fp", "fn"}
    assert metrics["rows"]["pseudo"]["network"] is None
    assert metrics["selection"]["target_share"]["all"] == 0.94
    assert list(metrics["selection"]["target_share"])[:3] == ["all", "companion", "train"]
    assert metrics["selection"]["candidates"] == 48
    assert metrics["seconds"]["wsss-classifier"] == 61
    assert metrics["gap"] == pytest.approx(
        {"baseline": 0.588, "mars": 0.739, "supervised": 0.872, "closed": (0.739 - 0.588) / (0.872 - 0.588)}
    )
    assert not (run / "report.html").exists()
    printed = capsys.readouterr().out
    assert "53 % closed" in printed
    assert str(run / "metrics.json") in printed


def test_target_share_over_the_classes_with_a_companion(run):
    path = run / "debias-centroids" / "candidates.csv"
    path.write_text(
        "id,class,cluster,pixels,distance,selected,iou\n"
        "a,train,0,9,0.9,1,0.8\na,train,1,9,0.2,0,0.0\nb,boat,0,9,0.9,1,0.05\nb,boat,1,9,0.9,1,0.2\nc,horse,0,9,0.9,1,0.9\n"
    )
    selection = merge(open_run(str(run)))["selection"]
    assert selection["target_share_before"]["companion"] == pytest.approx(1 / 3)
    assert selection["target_share"]["companion"] == pytest.approx(1 / 2)
    row = json.loads((run / "rows" / "pseudo.json").read_text())
    change(run / "rows" / "pseudo.json", per_class={name: {"iou": 0.5} for name in row["per_class"]})
    assert "companion" not in merge(open_run(str(run)))["selection"]["target_share"]  # no companion masks: not known


def test_rows_of_other_choices_are_left_out(run):
    change(run / "run.json", rows={name: f"rows/{name}.json" for name in ("pseudo", "final")})
    rows = merge(open_run(str(run)))["rows"]
    assert [name for name, row in rows.items() if row] == ["pseudo", "final"]
    assert "mars_removal" not in rows


def test_class_names_come_from_the_rows_where_nobody_else_names_them(run):
    change(run / "run.json", classes=None, data="folder")
    assert open_run(str(run)).class_names[:3] == ("background", "train", "boat")


def test_labels_may_lie_outside_the_run(run, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    change(run / "run.json", labels={"pseudo": "elsewhere"}, stages={"uss": ""})
    assert open_run(str(run)).labels("pseudo").resolve() == tmp_path / "elsewhere"
    assert open_run(str(run)).stage("uss") is None


def test_rows_stand_in_the_order_of_the_pipeline(run):
    names = list(merge(open_run(str(run)))["rows"])
    assert names == [
        "pseudo", "pseudo-baseline", "debiased", "complemented",
        "baseline", "mars_removal", "final", "final-student", "supervised",
    ]  # fmt: skip


def test_what_is_missing_is_null_and_a_dash(run, capsys):
    manifest = json.loads((run / "run.json").read_text())
    for stage in ("debias-centroids", "debias-labels"):
        del manifest["stages"][stage]
    del manifest["labels"]["debiased"]
    (run / "run.json").write_text(json.dumps(manifest))
    (run / "wsss-labels" / "sweep.json").unlink()
    (run / "rows" / "supervised.json").unlink()
    change(run / "rows" / "pseudo.json", companion=float("nan"))
    assert report.main([str(run)]) == 0
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["rows"]["supervised"] is None
    assert metrics["rows"]["pseudo"]["companion"] is None
    assert metrics["selection"] == {"target_share": None, "target_share_before": None, "candidates": None}
    assert metrics["gap"] == {"baseline": 0.588, "mars": 0.739, "supervised": None, "closed": None}
    printed = capsys.readouterr().out
    assert re.search(r"full supervision +– +–", printed)
    assert "not measured: supervised" in printed
    page = (run / "report.html").read_text()
    assert "full supervision" in page
    assert "What was selected" not in page


def test_an_empty_run_still_gives_a_page(tmp_path):
    (tmp_path / "run.json").write_text('{"data": null}')
    assert report.main([str(tmp_path)]) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert all(row is None for row in metrics["rows"].values())
    assert metrics["seconds"] == {}


ROW = {"miou": 0.5, "split": "val", "images": 10, "refinement": "none", "network": "teacher"}


@pytest.mark.parametrize(
    ("mars", "supervised", "closed"),
    [
        ({"miou": 0.6}, {"miou": 0.9}, 0.25),
        ({"miou": 0.4}, {"miou": 0.9}, -0.25),
        ({"miou": 0.6}, {"miou": 0.5}, None),  # there is no gap
        ({"miou": None}, {"miou": 0.9}, None),
        ({"miou": 0.6, "split": "train"}, {"miou": 0.9}, None),  # unlike things are not compared
        ({"miou": 0.6, "network": "student"}, {"miou": 0.9}, None),
        ({"miou": 0.6, "multi_scale": True}, {"miou": 0.9}, None),
        ({"miou": 0.6, "flip": True}, {"miou": 0.9, "flip": False}, None),
        (
            {"miou": 0.6, "scales": [1], "flip": True, "window": None},
            {"miou": 0.9},
            0.25,
        ),  # who says nothing may be alike
    ],
)
def test_gap(mars, supervised, closed):
    result = gap_of({"baseline": ROW, "final": ROW | mars, "supervised": ROW | supervised})
    assert result["closed"] == pytest.approx(closed)


def test_gap_over_seeds(tmp_path, capsys):
    runs = [make_run(tmp_path / str(seed), images=1, seed=seed) for seed in range(3)]
    runs = [run.rename(run.with_name(f"seed{seed}")) for seed, run in enumerate(runs)]
    for run, miou in zip(runs, (0.6, 0.7, 0.8), strict=True):
        change(run / "rows" / "baseline.json", miou=0.5)
        change(run / "rows" / "final.json", miou=miou)
        change(run / "rows" / "supervised.json", miou=0.9)
    assert gap.main([*map(str, runs), "--json", str(tmp_path / "new/folder/gap.json")]) == 0
    table = json.loads((tmp_path / "new/folder/gap.json").read_text())
    assert [row["closed"] for row in table["runs"]] == pytest.approx([0.25, 0.5, 0.75])
    assert table["mean"] == pytest.approx({"baseline": 0.5, "mars": 0.7, "supervised": 0.9, "closed": 0.5})
    assert table["seeds"] == 3
    assert [row["seed"] for row in table["runs"]] == [0, 1, 2]
    assert re.search(r"mean +over 3 seeds +50\.0 +70\.0 +90\.0 +50 %", capsys.readouterr().out)
    with pytest.raises(DataError, match="named twice"):
        gap.main([str(runs[0]), str(runs[0])])
    change(runs[1] / "rows" / "final.json", refinement="pamr")
    with pytest.raises(DataError, match="measured with refinement unlike seed0; compare"):
        gap.main(list(map(str, runs)))
    change(runs[1] / "rows" / "final.json", images=5)
    with pytest.raises(DataError, match="images is 5, unlike seed0 \\(240\\)"):
        gap.main(list(map(str, runs)))


def test_gap_of_another_training_and_of_the_segmenters_seeds(tmp_path):
    run = make_run(tmp_path, images=1)
    for name, miou in (("baseline", 0.5), ("mars_removal", 0.8), ("supervised", 0.9)):
        row = json.loads((run / "rows" / f"{name}.json").read_text())
        (run / "rows" / f"{name}-seed1.json").write_text(json.dumps(row | {"row": f"{name}-seed1", "miou": miou}))
    change(run / "run.json", rows={path.stem: f"rows/{path.name}" for path in (run / "rows").iterdir()})
    gap.main([str(run), "--row", "mars_removal", "--json", str(tmp_path / "gap.json")])
    table = json.loads((tmp_path / "gap.json").read_text())
    assert [entry["segment_seed"] for entry in table["runs"]] == [0, 1]
    assert [entry["closed"] for entry in table["runs"]] == pytest.approx([(0.756 - 0.588) / (0.872 - 0.588), 0.75])
    assert gap.gaps([str(run)])["mean"]["closed"] is None  # seed 1 has no row of MARS itself


def test_only_pictures_with_a_similarity_map_where_there_are_enough(run):
    folder = run / "debias-labels" / "similarity"
    for path in sorted(folder.glob("*.png"))[3:]:
        path.unlink()
    assert "out of 3 that have a similarity map" in page_of(run, 3)
    assert "out of 6 whose Yᵇ shows an object" in page_of(run, 4)


def page_of(run, pictures):
    report.main([str(run), "--gallery", str(pictures)])
    return (run / "report.html").read_text()


def test_a_mean_over_seeds_leaves_no_seed_out(tmp_path, capsys):
    first, second = (make_run(tmp_path / str(seed), images=1, seed=seed, supervised=seed == 0) for seed in range(2))
    report.main([str(first), "--no-html"])
    alone = tmp_path / "copied"
    alone.mkdir()
    (first / "metrics.json").rename(alone / "metrics.json")  # only the numbers came from another machine
    gap.main([str(alone), str(second), "--json", str(tmp_path / "gap.json")])
    table = json.loads((tmp_path / "gap.json").read_text())
    assert table["mean"]["mars"] == pytest.approx(0.739)
    assert table["mean"]["closed"] is None
    assert table["runs"][0]["closed"] == pytest.approx(0.5317, abs=1e-4)


class Outside(HTMLParser):
    """Collects whatever a page would load, and the tags it opens."""

    def __init__(self):
        super().__init__()
        self.loads, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [
            value
            for name, value in attributes
            if name in ("src", "href", "srcset", "data", "action") and not value.startswith("data:")
        ]


def test_the_page_needs_nothing_from_outside(run):
    report.main([str(run), "--gallery", "6"])
    text = (run / "report.html").read_text()
    page = Outside()
    page.feed(text)
    assert page.loads == []
    assert not {"script", "iframe", "object", "embed"} & set(page.tags)
    assert "http" not in re.sub(r"base64,[^\"]*", "", text)
    assert "@import" not in text
    assert page.tags.count("img") == 6 * 7
    assert page.tags.count("svg") == 3  # two scatters and the sweep
    for words in (
        "Class by class",
        "What was selected",
        "Time",
        "train, 6 images, crf",
        "val, 240 images, teacher, no refinement",
        "48 candidates, train_aug, 6 images with truth",
        "best: 0.3",
        "mars: 0.2",
    ):
        assert words in text, words
    assert not list(run.glob("*.part"))


def test_the_same_run_gives_the_same_page(run):
    report.main([str(run)])
    first = (run / "report.html").read_bytes()
    report.main([str(run)])
    assert (run / "report.html").read_bytes() == first


def test_names_are_escaped(run, capsys):
    nasty = "<script>alert(1)</script>[bold]"
    manifest = json.loads((run / "run.json").read_text())
    manifest["classes"][1] = nasty
    manifest["data"] = nasty
    (run / "run.json").write_text(json.dumps(manifest))
    for name in ("pseudo", "debiased"):
        path = run / "rows" / f"{name}.json"
        row = json.loads(path.read_text())
        change(path, note=nasty, per_class={nasty: row["per_class"]["train"]})
    table = run / "debias-centroids" / "candidates.csv"
    table.write_text(table.read_text().replace(",train,", f",{nasty},"))
    change(run / "debias-labels" / "removed.json", removed={nasty: 0.7})
    report.main([str(run)])
    text = (run / "report.html").read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert nasty in capsys.readouterr().out.replace("\n", "")


def test_a_run_is_found_by_name_and_its_absence_is_told(run, monkeypatch):
    monkeypatch.chdir(run.parent.parent)
    assert open_run("scenes").name == "scenes"
    with pytest.raises(DataError, match=r"nowhere: no run\.json .*there are: scenes"):
        open_run("nowhere")
    (run / "run.json").write_text("{")
    with pytest.raises(DataError, match=r"run\.json: is no JSON"):
        open_run("scenes")


def test_a_missing_image_is_named(run):
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(manifest | {"root": str(run / "nowhere")}))
    with pytest.raises(DataError, match=r"nowhere/JPEGImages/scene_\d+\.jpg: cannot be read as an image"):
        report.main([str(run)])


def test_removals_count_pixels_and_name_the_class_that_lost_most(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    label = np.array([[1, 1, 2, 2], [2, 2, 0, 255]], np.uint8)
    write_label(before / "a.png", label)
    write_label(after / "a.png", np.array([[BIASED, 1, BIASED, BIASED], [2, 2, 0, 255]], np.uint8))
    write_label(before / "b.png", np.zeros((2, 2), np.uint8))  # no object: nothing could be removed
    write_label(after / "b.png", np.zeros((2, 2), np.uint8))
    assert removals(before, after) == [Removal("a", 2, 3, 6)]
    write_label(after / "a.png", np.zeros((3, 3), np.uint8))
    with pytest.raises(DataError, match=r"a\.png: is \(3, 3\)"):
        removals(before, after)


def test_pictures_come_from_each_class_in_turn():
    removed = [Removal(f"a{share}", 1, share, 100) for share in (90, 80, 70, 1)] + [
        Removal(f"b{share}", 2, share, 100) for share in (40, 0)
    ]
    most, little = choose(removed, 5)
    assert [item.image_id for item in most] == ["a90", "b40", "a80", "b0"]
    assert [item.image_id for item in little] == ["a1"]
    assert choose(removed, 0) == ([], [])


def test_candidates_by_name_or_number_and_kinds(tmp_path):
    path = tmp_path / "candidates.csv"
    path.write_text(
        "id,class,cluster,pixels,distance,selected,iou\na,1,0,10,0.5,1,0.31\na,boat,1,9,0.2,0,0.3\nb,boat,0,8,0.1,False,0.09\nc,boat,0,8,0.1,True,\n"
    )
    candidates = read_candidates(path, ("background", "train", "boat"))
    assert [candidate.class_name for candidate in candidates] == ["train", "boat", "boat", "boat"]
    assert [candidate.kind for candidate in candidates] == ["target", "between", "biased", "unknown"]
    assert [candidate.selected for candidate in candidates] == [True, False, False, True]
    entries = shares(candidates, ("background", "train", "boat"))
    assert [(entry["name"], entry["before_share"], entry["after_share"]) for entry in entries] == [
        ("train", 1.0, 1.0),
        ("boat", 0.0, None),
    ]
    path.write_text("id,class\na,1\n")
    with pytest.raises(DataError, match="no table of candidates"):
        read_candidates(path, ())


def test_the_two_most_biased_classes_have_enough_candidates():
    def entries(name, targets, biased):
        return [Candidate("a", name, 1, 0.0, True, 0.9)] * targets + [Candidate("a", name, 1, 0.0, True, 0.0)] * biased

    candidates = entries("few", 0, 2) + entries("good", 9, 1) + entries("bad", 2, 8) + entries("middle", 5, 5)
    assert two_most_biased(shares(candidates, ())) == ["bad", "middle"]


def test_vectors_are_the_matrix_with_a_row_a_candidate(run):
    folder = run / "debias-centroids"
    assert read_vectors(folder / "centroids.safetensors", 48).shape == (48, 16)
    assert read_vectors(folder / "centroids.safetensors", 47) is None


def test_plane_keeps_the_distances_of_points_in_a_plane():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(20, 2)) * (3, 1)
    turned = flat @ np.linalg.qr(rng.normal(size=(7, 7)))[0][:2] + 5

    def between(points):
        return np.linalg.norm(points[:, None] - points[None], axis=-1)

    np.testing.assert_allclose(between(plane(turned)), between(flat), atol=1e-5)
    np.testing.assert_allclose(plane(turned), plane(turned[:, ::-1]), atol=1e-5)
    assert plane(np.ones((1, 3), np.float32)).shape == (1, 2)


def test_words_of_the_numbers():
    assert (percent(0.1234), percent(None), fraction(0.5), fraction(None)) == ("12.3", "–", "0.500", "–")
    assert (title("pseudo"), title("final"), title("mars_removal"), title("final-seed2")) == (
        "Yᵇ pseudo labels", "MARS network", "mars removal", "MARS network, seed 2",
    )  # fmt: skip
    assert measured_by({"network": "teacher", "multi_scale": True, "refinement": "crf"}) == "teacher, multi-scale, crf"
    assert measured_by({"network": None, "refinement": "none"}) == "no refinement"
    seen = {"network": "student", "multi_scale": True, "scales": [1.0, 0.5], "flip": True, "refinement": "crf"}
    assert measured_by(seen) == "student, scales 1 0.5, flip, crf"
    seen |= {"multi_scale": False, "scales": [1.0], "flip": False, "window": [512, 341]}
    assert measured_by(seen) == "student, scale 1, no flip, windows of 512 every 341, crf"
    assert measured_by({}) == "refinement –"
    assert [duration(value) for value in (3.14, 48, 190, 7500)] == ["3.1 s", "48 s", "3 min 10 s", "2 h 05 min"]
    assert scored_classes({"a": None, "b": {"scored": ["cat", "dog"]}}) == "mean over 2 classes: cat, dog"
    assert scored_classes({"b": {"scored": None}}) == ""


def test_the_table_fits_a_terminal_of_80_columns(run):
    console = terminal()
    console.width = 80
    with console.capture() as capture:
        console.print(rows_table(merge(open_run(str(run)))["rows"]))
    assert "…" not in capture.get()
    assert "Yᶜᵒ complemented labels" in capture.get()


def test_report_imports_neither_torch_nor_lightning_nor_timm(run):
    heavy = ("torch", "pytorch_lightning", "timm", "sklearn", "wandb", "matplotlib")
    code = f"import sys; from mars_pl.commands.report.command import main; main([{str(run)!r}])"
    code += f"; from mars_pl.commands import gap; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
