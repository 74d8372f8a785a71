"""Which images a run can show, and which classes they are said to show."""

import json

import pytest

from datamodules.files.shards.shard_folder import ShardFolder
from mars_pl.commands.report.images.sets import image_sets, scored_ids, truth_of
from mars_pl.commands.report.run import open_run
from tests.fakes.fake_run import add_networks, change, rename_image
from tests.fakes.shards import packed


def test_labels_and_networks_each_on_their_split(run):
    add_networks(run)
    labels, networks = image_sets(open_run(str(run)))
    assert (labels.title, labels.split, len(labels.ids)) == ("labels", "train", 6)
    assert (networks.title, networks.split, len(networks.ids)) == ("networks", "val", 4)
    assert [layer.key for layer in networks.layers] == ["truth", "baseline", "final"]
    assert networks.judged.title == "MARS network"
    assert labels.judged.keys == ("complemented",)


def test_the_last_rounds_network_is_the_final_one_and_every_network_has_its_rows_title(run):
    add_networks(run)
    stages = json.loads((run / "run.json").read_text())["stages"]
    later = ("round2", "round10", "baseline-round2", "final-seed1", "final-round2-seed1")
    change(run / "run.json", stages=stages | {f"segment-masks-{name}": "segment-masks" for name in later})
    _, networks = image_sets(open_run(str(run)))
    assert [layer.title for layer in networks.masks] == [
        "baseline network", "baseline network, round 2", "MARS network", "MARS network, seed 1",
        "MARS network, round 2", "MARS network, round 2, seed 1", "MARS network, round 10",
    ]  # fmt: skip
    assert networks.judged.keys == ("final-round10",)


def test_ids_with_folders_are_found_without_a_list(run):
    rename_image(run, "scene_00003", "birds/scene_00003")
    [labels] = image_sets(open_run(str(run)))
    assert labels.ids[0] == "birds/scene_00003"
    assert len(labels.ids) == 6, "neither maps nor predictions below the labels are images"


def test_labels_in_shards_are_measured_as_those_in_files(run):
    add_networks(run)
    whole = [images.measure().images for images in image_sets(open_run(str(run)))]
    folders = {layer.folder for images in image_sets(open_run(str(run))) for layer in images.layers}
    assert len(folders) > 4
    for folder in folders:
        files = folder.with_name(f"{folder.name}-files")
        files.mkdir()
        for path in folder.glob("*.png"):
            path.rename(files / path.name)
        packed(files, folder)
    sets = image_sets(open_run(str(run)))
    assert [images.measure().images for images in sets] == whole
    assert all(isinstance(layer.folder, ShardFolder) for images in sets for layer in images.layers)


def test_classes_are_those_of_the_image_labels_where_there_are_any(run):
    [labels] = image_sets(open_run(str(run)))
    by_truth = labels.classes(labels.measure().images)
    assert by_truth == [(1,), (2,), (3,), (4,), (5,), (6,)]
    table = {image_id: ["boat", "dog"] for image_id in labels.ids[1:]}
    (labels.tree.root / "image_labels.json").write_text(json.dumps(table))
    assert labels.classes(labels.measure().images) == [
        (1,),
        *[(2, 6)] * 5,
    ]  # who has no label shows what its truth says


def test_without_truth_and_image_labels_the_labels_say_it(run):
    root = open_run(str(run)).root
    (root / "SegmentationClass").rename(root / "elsewhere")
    [labels] = image_sets(open_run(str(run)))
    assert labels.truth is None
    assert labels.classes(labels.measure().images)[1] == (2,)


def test_the_truth_is_the_one_that_the_rows_were_scored_with(run):
    root = open_run(str(run)).root
    (root / "SegmentationClassAug").mkdir()
    assert truth_of(open_run(str(run))).name == "SegmentationClassAug"
    change(run / "run.json", choices={"truth": "SegmentationClass"})
    assert truth_of(open_run(str(run))).name == "SegmentationClass"


@pytest.mark.parametrize(("scored", "ids"), [(None, None), (["boat", "train"], (2, 1)), ("all", None)])
def test_scored_classes(scored, ids):
    assert scored_ids({"pseudo": None, "final": {"scored": scored}}, ("background", "train", "boat")) == ids
