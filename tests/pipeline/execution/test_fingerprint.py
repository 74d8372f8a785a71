import os
from dataclasses import replace

import pytest

from datamodules.files.shards.place import place
from mars_pl.pipeline.execution.fingerprint import Fingerprints, file_sum, is_weights, listing_sum, split_of
from mars_pl.pipeline.stage import Stage
from tests.fakes.fake_tree import make_voc_tree
from tests.fakes.shards import packed


@pytest.fixture
def stage(tmp_path):
    make_voc_tree(tmp_path / "data", 4, image_labels="npy")
    (tmp_path / "truth").mkdir()
    return Stage("s", "fit", ("voc",), tmp_path / "data", (), {"data.root": "x"}, (), measures=(tmp_path / "truth",))


def taken(stage):
    return Fingerprints().of(stage)


def changed(stage, **fields):
    before, after = taken(stage), taken(replace(stage, **fields))
    return before.folder != after.folder, before.results != after.results


def test_what_a_stage_is_made_of_changes_both_sums(stage):
    for fields in (
        {"name": "t"},
        {"job": "predict"},
        {"seed": 1},
        {"version": 2},
        {"options": {"data.root": "x", "model.lr": 1}},
        {"options": {"data.fit_split": "val"}},
    ):
        assert changed(stage, **fields) == (True, True), fields


def test_what_is_for_people_or_harmless_changes_none(stage):
    for fields in ({"choices": ("other",)}, {"options": {"data.root": "y", "data.workers": 3}}, {"all_cores": True}):
        assert changed(stage, **fields) == (False, False), fields


def test_truth_changes_the_folder_and_not_what_follows(stage, tmp_path):
    before = taken(stage)
    (tmp_path / "truth/a.png").touch()
    assert (taken(stage).folder != before.folder, taken(stage).results != before.results) == (True, False)


def test_what_follows_stands_on_results(stage, tmp_path):
    def follower():
        return taken(Stage("t", "fit", (), stage.root, (), {"model.weights": stage / "w"}, ())).folder

    before = follower()
    (tmp_path / "truth/a.png").touch()
    assert follower() == before
    (stage.root / "JPEGImages/2007_000001.jpg").write_bytes(b"")
    assert follower() != before


def test_a_place_from_outside_is_what_it_holds_wherever_it_lies(stage, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"mask")
        os.utime(tmp_path / name / "a.png", (1, 1))
    one, two = (taken(replace(stage, options={"data.label_folder": tmp_path / name})) for name in ("one", "two"))
    assert one.folder == two.folder
    (tmp_path / "two/b.png").touch()
    assert taken(replace(stage, options={"data.label_folder": tmp_path / "two"})).folder != two.folder


@pytest.mark.parametrize("times", [True, False])
def test_a_listing_knows_names_sizes_and_perhaps_times(tmp_path, times):
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_bytes(b"12")
        os.utime(path, (1, 1))
    before = listing_sum(paths, times=times)
    assert before[0] == 2 and listing_sum(paths[::-1], times=times) == before
    os.utime(paths[0], (2, 2))
    assert (listing_sum(paths, times=times) != before) == times
    paths[0].write_bytes(b"123")
    assert listing_sum(paths, times=times) != before
    paths[0].unlink()
    assert listing_sum(paths, times=times)[0] == 1


def test_images_in_shards_are_those_of_the_folder(stage, tmp_path, bucket):
    files = tmp_path / "files"
    files.mkdir()
    for name in "ab":
        (files / f"{name}.jpg").write_bytes(name.encode() * 700)
    shards = place(packed(files, bucket))
    assert listing_sum([shards.image(name) for name in "abc"], times=False) == listing_sum(
        [files / f"{name}.jpg" for name in "abc"], times=False
    )


def test_a_missing_file_has_a_word_for_its_sum(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    assert file_sum(None) == file_sum(tmp_path / "b") == file_sum(tmp_path) == "missing"
    assert file_sum(tmp_path / "a") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("job", "data", "split"),
    [
        ("fit", {}, "train_aug"),
        ("predict", {}, "train_aug"),
        ("fit", {"fit_split": "mine", "predict_split": "other"}, "mine"),
        ("predict", {"fit_split": "mine", "predict_split": "other"}, "other"),
        ("evaluate", {"fit_split": "mine"}, "told"),
    ],
)
def test_the_list_that_a_stage_reads(tmp_path, job, data, split):
    stage = Stage("s", job, (), tmp_path, (), {"split": "told"}, ())
    assert split_of(stage, {"data": {"init_args": data}}) == split
    assert split_of(replace(stage, job="fit"), {}) == split_of(stage, {"data": None}) or job == "evaluate"


@pytest.mark.parametrize(
    ("name", "value", "are"),
    [
        ("model.init_args.weights", "a.safetensors", True),
        ("weights", "a", True),
        ("model.classifier_weights", "a", True),
        ("model.init_args.weights", None, False),
        ("model.init_args.weights_only", "a", False),
        ("model.weights.stage", "segment", False),
    ],
)
def test_settings_that_name_weights(name, value, are):
    assert is_weights(name, value) == are


def test_data_that_are_not_there_yet_have_a_fingerprint_too(tmp_path):
    stage = Stage("s", "fit", (), tmp_path / "nowhere", (), {}, (), measures=(tmp_path / "nowhere/truth",))
    assert taken(stage).facts["data"] == {"list": "missing"}
