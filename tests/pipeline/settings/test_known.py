"""A setting that no class of its stage takes is refused by name; what cannot be known is let through."""

import pytest

from datamodules.errors import DataError
from mars_pl.pipeline.settings.known import check_setting
from mars_pl.pipeline.stage import Stage

YAML = """
model:
  class_path: mars_pl.segment.segmentation_module.SegmentationModule
  init_args:
    network: {class_path: mars_pl.segment.deeplabv3plus.DeepLabV3Plus, init_args: {encoder_options: {a: 1}}}
    complement: null
data: {class_path: datamodules.voc.VOC, init_args: {training_set: {class_path: nowhere.Crops}}}
trainer: {strategy: {class_path: pytorch_lightning.strategies.DDPStrategy}, max_epochs: 3}
"""


@pytest.fixture
def stage(tmp_path):
    def make(name, value="1", job="fit"):
        (tmp_path / "stage.yaml").write_text(YAML)
        return Stage("segment", job, (), tmp_path, (tmp_path / "stage.yaml",), {name: value}, ())

    return make


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trainer.max_epoch", "Trainer takes no max_epoch; did you mean max_epochs?"),
        ("trainer.zzz", "Trainer takes no zzz; `mars fit --help` lists all"),
        ("modle.lr", "`mars fit` takes no modle; did you mean model?"),
        ("datamodule", "`mars fit` takes no datamodule; it takes trainer, data, model, writer, seed_everything"),
        ("return_predictions", "`mars fit` takes no return_predictions; it takes trainer, data, model, writer, seed_"),
        ("model.lrr", "SegmentationModule takes no lrr; did you mean lr?"),
        ("model.class_path", "SegmentationModule takes no class_path; "),
        ("model.network.encodr", "DeepLabV3Plus takes no encodr; did you mean encoder?"),
        ("model.init_args.network.init_args.encodr", "DeepLabV3Plus takes no encodr; did you mean encoder?"),
        ("data.limt", "VOC takes no limt; did you mean limit?"),
    ],
)
def test_it_is_refused_with_what_was_meant(stage, name, said):
    with pytest.raises(DataError) as caught:
        check_setting(stage(name), name)
    assert str(caught.value).startswith(f"segment.{name}: {said}") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "trainer.max_epochs",
        "trainer.strategy.init_args.process_group_backend",
        "trainer.strategy.anything",  # it belongs to no class that is named
        "model.lr",
        "model.network",
        "model.network.output_stride",
        "model.network.encoder_options.b",
        "model.complement.certain",  # no class is named
        "data.training_set.anything",  # its class cannot be read
        "data.limit",
        "seed_everything",
        "ckpt_path",
        "writer.resume",
    ],
)
def test_it_is_let_through(stage, name):
    check_setting(stage(name), name)


def test_each_job_has_its_own(stage):
    check_setting(stage("return_predictions", job="predict"), "return_predictions")


def test_a_class_that_the_setting_itself_brings(stage, tmp_path):
    crops = tmp_path / "crops.yaml"
    crops.write_text("class_path: datamodules.datasets.random_crops.RandomCrops")
    both = stage("data.training_set", crops)
    check_setting(both, "data.training_set.crop_size")
    with pytest.raises(DataError, match="RandomCrops takes no crop; did you mean crop_size"):
        check_setting(both, "data.training_set.crop")
