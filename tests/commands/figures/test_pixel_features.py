"""The features of an image: stored ones, or the network's of the stage's own configuration."""

import pytest
import torch
import yaml

from datamodules.files.tree import Tree, read_image
from mars_pl.commands.figures.drawn import LackingError
from mars_pl.commands.figures.pixel_features import features_of
from mars_pl.commands.report.run import open_run
from tests.debias.colours import ColourFeatures


def configure(run, extractor, **data):
    settings = {"model": {"init_args": {"feature_extractor": extractor}}, "data": {"init_args": data}}
    (run / "debias-centroids/predict.yaml").write_text(yaml.safe_dump(settings))


def test_the_network_is_made_as_the_job_made_it(run):
    configure(run, {"class_path": "tests.debias.colours.ColourFeatures"})
    opened = open_run(str(run))
    image = read_image(Tree(opened.root).image("scene_00000"))
    assert torch.equal(features_of(opened)("scene_00000"), ColourFeatures()(image[None])[0])


def test_stored_features_spare_the_network(whole_run):
    configure(whole_run, {"class_path": "nowhere.Network"})
    assert features_of(open_run(str(whole_run)))("scene_00003").shape == (8, 12, 16)


def test_features_that_another_run_stored_are_found_from_the_folder_of_runs(whole_run):
    (whole_run / "debias-centroids/features").rename(whole_run.parent / "features")
    configure(whole_run, None, feature_folder="runs/features")
    assert features_of(open_run(str(whole_run)))("scene_00003").dtype == torch.float32


def test_what_is_lacking_is_named(run, without):
    with pytest.raises(LackingError, match=r"predict.yaml: names no feature_extractor, and no features are stored"):
        features_of(open_run(str(run)))
    configure(run, {"class_path": "tests.debias.colours.NoSuchFeatures"})
    with pytest.raises(LackingError, match=r"the network of the run's pixel features cannot be made") as fault:
        features_of(open_run(str(run)))
    assert "\n" not in str(fault.value)
    without(run, "stages", "debias-centroids")
    with pytest.raises(LackingError, match="no centroids' stage"):
        features_of(open_run(str(run)))
