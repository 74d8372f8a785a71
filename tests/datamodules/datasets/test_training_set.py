"""Training sets are named in a YAML by their class path, and a later YAML changes a part of them."""

import pytest
from jsonargparse import ArgumentParser

from datamodules.datasets.crop_pairs import FiveCropPairs
from datamodules.datasets.multi_crops import MultiCropViews
from datamodules.datasets.random_crops import RandomCrops
from datamodules.datasets.training_set import TrainingSet
from datamodules.segmentation_data import SegmentationData
from datamodules.voc import VOC
from tests.fakes.fake_tree import make_voc_tree

DATASETS = "datamodules.datasets"


class EveryImage(TrainingSet):
    """One of a person's own."""

    def fit_set(self, reader, split, seed):
        return reader.whole_images(split)


def parsed(*training_sets):
    """The data module of one configuration over another."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(SegmentationData, "data")
    config = None
    for training_set in training_sets:
        data = {"class_path": "datamodules.voc.VOC", "init_args": {"root": "x", "training_set": training_set}}
        config = parser.parse_object({"data": data}, cfg_base=config)
    return parser.instantiate_classes(config).data


def test_without_one_it_is_random_crops_as_ever():
    crops = parsed(None).training_set
    assert type(crops) is RandomCrops and crops.crop_size == 512
    assert [type(step).__name__ for step in crops.crop._steps.transforms] == [
        "RandomResize",
        "RandomHorizontalFlip",
        "RandomCrop",
    ]


def test_a_later_configuration_changes_a_part():
    base = {"class_path": f"{DATASETS}.random_crops.RandomCrops", "init_args": {"crop_size": 64, "flip": False}}
    crops = parsed(base, {"init_args": {"crop_size": 32}}).training_set
    assert crops.crop_size == 32
    assert [type(step).__name__ for step in crops.crop._steps.transforms] == ["RandomResize", "RandomCrop"]


def test_each_kind_is_known_by_its_class_path():
    pairs = parsed(
        {"class_path": f"{DATASETS}.crop_pairs.FiveCropPairs", "init_args": {"neighbours": "n"}}
    ).training_set
    assert type(pairs) is FiveCropPairs and (pairs.crop_size, pairs.neighbours, pairs.tokens) == (224, "n", None)
    views = {"class_path": f"{DATASETS}.multi_crops.MultiCropViews", "init_args": {"global_size": 64, "local_crops": 1}}
    assert type(found := parsed(views).training_set) is MultiCropViews and found.crop.sizes == [64, 64, 96]
    own = {"class_path": f"{__name__}.EveryImage"}
    assert type(parsed(own).training_set) is EveryImage


@pytest.mark.parametrize(
    ("name", "option"),
    [("random_crops.RandomCrops", "global_size"), ("multi_crops.MultiCropViews", "crop_size"),
     ("crop_pairs.FiveCropPairs", "long_side"), ("multi_crops.MultiCrop", "global_size")],
)  # fmt: skip
def test_an_option_of_another_kind_is_refused(name, option):
    with pytest.raises(Exception, match=f"{option}|MultiCrop"):
        parsed({"class_path": f"{DATASETS}.{name}", "init_args": {option: 64}})


def test_one_of_a_persons_own_is_fitted_and_predicts_whole_images(tmp_path):
    make_voc_tree(tmp_path, 4)
    data = VOC(str(tmp_path), batch_size=1, workers=0, training_set=EveryImage())
    data.setup("predict")
    assert [len(batch["id"]) for batch in data.predict_dataloader()] == [1, 1, 1]
