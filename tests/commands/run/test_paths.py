"""Blanks and letters of other languages in paths, and folders of one name in two places."""

import shutil

import pytest

from tests.commands.run.names import PAPER


@pytest.mark.parametrize("name", ["a house", "ein Häuschen", "房子", "it's (a) #1 $HOUSE; & more", "[a: b"])
def test_a_house_may_be_called_anything(pattern, stub, tmp_path, name):
    house = pattern.copied(tmp_path / name)
    assert house.run()[:9] == PAPER
    assert house.run() == []


@pytest.mark.parametrize("name", ["my data", "dàtä 数据", "[x", "a: b", "@voc", "{voc}", "- voc", "null", "2012"])
def test_data_may_lie_anywhere(house, name):
    house.root.rename(house.folder / name)
    assert house.run(f"data_root={name}")[:9] == PAPER
    assert house.call("wsss-classifier").after("--data.init_args.root") == name
    assert house.run(f"data_root={name}") == []


@pytest.mark.parametrize("name", ["my masks", "masques été", "[masks", "a: b", "x" * 240])
def test_labels_may_lie_anywhere(house, name):
    shutil.copytree(house.root / "SegmentationClass", house.folder / name)
    assert house.run(f"labels={name}")[0] == "uss-neighbours"
    assert house.call("debias-labels").after("--data.init_args.label_folder") == str(house.folder / name)
    assert house.run(f"labels={name}") == []
    assert all(len(path.name.encode()) < 255 - len(".part") for path in (house.folder / "runs").rglob("*"))


def test_folders_of_the_same_name_are_told_apart(house):
    for place in ("a", "b"):
        shutil.copytree(house.root / "SegmentationClass", house.folder / place / "masks")
    (house.folder / "b/masks/2007_000001.png").touch()
    first = house.run("labels=a/masks")
    assert set(house.run("labels=b/masks")) == set(first) - set(PAPER[2:4])
    assert {"voc-labels_a_masks", "voc-labels_b_masks"} < {path.name for path in (house.folder / "runs").iterdir()}


def test_a_folder_of_labels_goes_before_its_namesake_in_the_data(house):
    """The data set looks for a bare name in its own folder first, and there lies the truth."""
    shutil.copytree(house.root / "SegmentationClassAug", house.folder / "SegmentationClass")
    house.run("labels=SegmentationClass")
    assert house.call("debias-centroids").after("--data.init_args.label_folder") == str(
        house.folder / "SegmentationClass"
    )
    assert house.call("row pseudo").words[1:3] == [
        str(place / "SegmentationClass") for place in (house.folder, house.root)
    ], "what is scored, and the truth of the data set"


def test_truth_may_lie_elsewhere(house):
    (house.root / "SegmentationClass").rename(house.folder / "true masks")
    house.run("truth=true masks")
    assert house.call("row final").words[2] == str(house.folder / "true masks")
