"""A small data set makes more epochs, so that a fit has enough steps."""

from contextlib import chdir

import pytest

from mars_pl.pipeline.fit_length import fit_length, more_epochs
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import planned_run


@pytest.fixture
def fits(tmp_path):
    """The fits of `mars run mars` on a tree of 40 images, by their names."""
    make_voc_tree(tmp_path / "data/voc", 40, image_labels="npy")

    def plan(*words):
        stages = planned_run(tmp_path, "mars", *words).every_stage()
        with chdir(tmp_path):
            return {stage.name: (stage, fit_length(stage)) for stage in stages if stage.job == "fit"}

    return plan


def test_steps_are_counted_from_settings_and_list(fits):
    found = fits()
    images = found["wsss-classifier"][1].images
    _, classifier = found["wsss-classifier"]
    assert (classifier.batch, classifier.steps, classifier.epochs) == (16, 5 * (images // 16), 5.0)
    _, stego = found["uss-fit"]
    assert (stego.items, stego.batch, stego.steps) == (5 * images, 32, 7000)


def test_too_few_steps_become_more_epochs_and_as_many_validations(fits, tmp_path):
    stage, found = fits("segment.trainer.check_val_every_n_epoch=50")["segment"]
    with chdir(tmp_path):
        assert more_epochs(stage, found.steps) == {}
        more = more_epochs(stage, 3 * found.steps)
    assert more["trainer.max_epochs"] == 300 and more["trainer.check_val_every_n_epoch"] == 150


def test_the_fewest_steps_hold_for_every_fit_whose_length_nobody_said(fits, tmp_path):
    said = fits("fewest_steps=1000", "segment.trainer.max_epochs=3")
    assert said["segment"][1].epochs == 3
    assert said["uss-fit"][1].steps == 7000
    assert 1000 <= said["wsss-classifier"][1].steps < 1000 + said["wsss-classifier"][1].items // 16


def test_a_list_that_is_not_there_yet_changes_nothing(fits, tmp_path):
    stage, _ = fits()["segment"]
    for path in (tmp_path / "data/voc/ImageSets/Segmentation").glob("*.txt"):
        path.unlink()
    with chdir(tmp_path):
        assert fit_length(stage) is None and more_epochs(stage, 10**6) == {}
