import json

import pytest

from mars_pl.pipeline.execution.fingerprint import Fingerprint
from mars_pl.pipeline.execution.places import LONGEST, Place, Places, differences, safe_name
from mars_pl.pipeline.stage import Stage
from tests.fakes.fake_tree import make_voc_tree
from tests.fakes.shards import packed


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a is 2, was 1"]),
        ({}, {"a": None}, []),
        ({}, {"a": False}, ["a is false, was not set"]),
        ({"a": "é"}, {}, ['a is not set, was "é"']),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a is [2, 1], was [1, 2]"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3, "b": 0}}, ["a.c is 3, was 2", "a.b is 0, was 1"]),
        ({"a": {"b": 1}}, {"a": 1}, ['a is 1, was {"b": 1}']),
        (
            {"settings": {"model": {"init_args": {"lr": 1}}}},
            {"settings": {"model": {"init_args": {"lr": 2}}}},
            ["model.lr is 2, was 1"],
        ),
        ({"settings": {"data": {"x": 1}}}, {"settings": {"data": {"x": 2}}}, ["data.x is 2, was 1"]),
        ({"inputs": {"debias-labels": ["a"]}}, {"inputs": {"debias-labels": ["b"]}}, ["debias-labels changed"]),
        ({"data": {"list": "a"}}, {"data": {"list": "b"}}, ["list changed"]),
        ({"truth": ["a"]}, {"truth": ["b"]}, ["truth changed"]),
        (
            {"weights": {"model.init_args.weights": "a"}},
            {"weights": {"model.init_args.weights": "b"}},
            ["model.weights changed"],
        ),
        ({"weights": {}}, {"weights": {"model.weights": "b"}}, ['weights.model.weights is "b", was not set']),
        ({"command": ["a"], "seconds": 1}, {"command": ["b"], "seconds": 2}, []),
        ({"a": "x" * 100}, {"a": 1}, [f'a is 1, was "{"x" * 56}…']),
    ],
)
def test_differences_in_words(before, after, said):
    assert differences(before, after) == said


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a-b_c.d", "a-b_c.d"),
        ("my masks (old)/x", "my_masks_old_x"),
        ("été 数据", "été_数据"),
        ("a\nb;$(c)", "a_b_c_"),
    ],
)
def test_a_name_is_safe_to_type(name, safe):
    assert safe_name(name) == safe


def test_a_long_name_is_cut_and_told_from_its_neighbours():
    names = {safe_name("é" * 150 + end) for end in ("", "a", "b")}
    assert len(names) == 3 and all(len(name.encode()) <= LONGEST + 7 for name in names)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_voc_tree(tmp_path / "data", 4)
    stage = Stage("s", "predict", ("voc", "x"), tmp_path / "data", (), {}, ("about.json", "mars"), "mars/{id}.png")
    return Place(stage, Fingerprint("0123", "4567", {"a": 1}))


def test_a_folder_is_named_for_people_and_found_by_its_fingerprint(place, tmp_path):
    stages = tmp_path / "runs/stages"
    assert str(place.folder) == "runs/stages/s-voc-x-0123" and str(place.part) == "runs/stages/s-voc-x-0123.part"
    assert not place.finished and not place.begun
    (stages / "s-voc-x-9999").mkdir(parents=True)
    assert not place.finished
    (stages / "s-other-0123.part").mkdir()
    assert place.begun and not place.finished and place.part.name == "s-other-0123.part"
    (stages / "s-older-0123").mkdir()
    assert place.finished and place.folder.name == "s-older-0123"


def test_what_is_missing_is_listed(place, tmp_path):
    folder = tmp_path / "left"
    assert place.missing(folder) == ["about.json", "mars", *(f"mars/2007_00000{number}.png" for number in (1, 2, 3))]
    (folder / "mars").mkdir(parents=True)
    for number in (1, 3, 4):
        (folder / f"mars/2007_00000{number}.png").touch()
    assert place.missing(folder) == ["about.json", "mars/2007_000002.png"]
    (folder / "about.json").touch(), (folder / "mars/2007_000002.png").touch()
    assert place.missing(folder) == []


def test_what_lies_in_shards_is_not_missing(place, tmp_path):
    folder = tmp_path / "left"
    (folder / "loose").mkdir(parents=True)
    (folder / "about.json").touch()
    for number in (1, 3):
        (folder / f"loose/2007_00000{number}.png").write_bytes(b"mask")
    packed(folder / "loose", folder / "mars")
    assert place.missing(folder) == ["mars/2007_000002.png"]


@pytest.mark.parametrize("content", ["{", json.dumps({"stage": "other", "a": 2}), "[]"])
def test_facts_of_another_stage_or_none_are_no_reason(place, tmp_path, content):
    folder = tmp_path / "runs/stages/s-voc-x-9999"
    folder.mkdir(parents=True)
    (folder / "stage.json").write_text(content)
    assert place.reason() == "was never made"
    (folder / "stage.json").write_text(json.dumps({"stage": "s", "a": 2}))
    assert place.reason().startswith("a is 1, was 2; stage is not set")


def test_stages_of_the_same_content_are_one(tmp_path):
    make_voc_tree(tmp_path, 2)
    first, same = (Stage("s", "fit", (name,), tmp_path, (), {}, ()) for name in ("a", "b"))
    other = Stage("s", "fit", ("a",), tmp_path, (), {}, (), seed=1)
    assert Places().each_once([first, other, same]) == [first, other]
