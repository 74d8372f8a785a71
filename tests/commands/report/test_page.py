"""The page of a run: whole in one file, the same each time, with every name escaped."""

import json
import re
from html.parser import HTMLParser

import pyarrow.parquet as pq
import pytest

from datamodules.errors import DataError
from mars_pl.commands.report import command as report
from mars_pl.commands.report.run import open_run
from mars_pl.commands.report.settings import choices as choices_of
from tests.fakes.fake_run import CLASSES, change


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


def told_in(text):
    """What the page's scripts read."""
    return json.loads(re.search(r'<script id="told" type="application/json">(.*?)</script>', text, re.DOTALL)[1])


def test_the_page_needs_nothing_from_outside(run):
    report.main([str(run), "--gallery", "6"])
    text = (run / "report.html").read_text()
    page = Outside()
    page.feed(text)
    assert page.loads == []
    assert not {"iframe", "object", "embed", "img"} & set(page.tags)
    assert "http" not in re.sub(r"base64,[^\"]*", "", text)
    assert "@import" not in text
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
        "mars-pl 0.",
    ):
        assert words in text, words
    assert not list(run.glob("*.part"))
    assert not (run / "report_files").exists()
    [labels] = told_in(text)["sets"]
    assert [layer["key"] for layer in labels["layers"]] == [
        "image", "truth", "pseudo", "similarity", "debiased", "complemented", "prediction",
    ]  # fmt: skip
    assert len(labels["pictures"]) == 6
    assert all(uri.startswith("data:image/") for pictures in labels["pictures"] for uri in pictures)


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
    path = run / "debias-centroids" / "candidates.parquet"
    table = pq.read_table(path)
    names = json.dumps([nasty if name == "train" else name for name in CLASSES])
    pq.write_table(table.replace_schema_metadata({"class_names": names}), path)
    change(run / "debias-labels" / "removed.json", removed={nasty: 0.7})
    report.main([str(run)])
    text = (run / "report.html").read_text()
    assert nasty not in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert told_in(text)["classes"][1] == nasty
    assert nasty in capsys.readouterr().out.replace("\n", "")


def test_a_missing_image_is_named(run):
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(manifest | {"root": str(run / "nowhere")}))
    with pytest.raises(DataError, match=r"nowhere/JPEGImages/scene_\d+\.jpg: cannot be read as an image"):
        report.main([str(run)])


def test_settings_name_each_choice_that_was_made_once_and_the_stages_by_their_folders(run):
    choices = {
        "wsss": "cam",
        "alpha": None,
        "tokens": True,
        "also": ["debiased", "complement"],
        "options": {"segment.model.lr": ".1"},
    }
    change(run / "run.json", choices=choices, stages={"debias-labels": "debias-labels"})
    lines = choices_of(open_run(str(run)))
    assert lines == [
        ("data", "scenes"),
        ("seed", "0"),
        ("wsss", "cam"),
        ("tokens", "true"),
        ("also", "debiased, complement"),
        ("options", "segment.model.lr=.1"),
        ("debias-labels", "debias-labels"),
    ]


def test_a_run_with_rounds_is_told_by_its_last_one(run, capsys):
    row = json.loads((run / "rows" / "final.json").read_text())
    for name, miou in (("final-round2", 0.777), ("labels-final-round2", 0.801)):
        (run / "rows" / f"{name}.json").write_text(json.dumps(row | {"row": name, "miou": miou}))
    change(run / "run.json", rows={path.stem: f"rows/{path.name}" for path in (run / "rows").iterdir()})
    report.main([str(run), "--gallery", "0"])
    text = (run / "report.html").read_text()
    assert "baseline → MARS, round 2" in text and "77.7 <small>%</small>" in text
    names = [line.strip() for line in capsys.readouterr().out.splitlines()]
    order = (
        "Yᶜᵒ complemented labels",
        "labels of MARS, round 2",
        "baseline network",
        "MARS network",
        "MARS network, round 2",
    )
    places = [next(at for at, line in enumerate(names) if line.startswith(words)) for words in order]
    assert places == sorted(places)
