"""Each kind of segmenter through the real command, with its shipped YAMLs, from labels to masks of val."""

from contextlib import chdir

import pytest
import yaml

from datamodules.files.labels import read_label
from mars_pl.pipeline.execution.words import command_words
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import TinyRun

INTERMEDIATE = {
    "class_path": "mars_pl.networks.intermediate_features.TimmIntermediateFeatures",
    "init_args": {"name": "test_resnet", "weights": None, "frozen_batch_norm": False},
}
ENCODER = {"encoder": "test_resnet", "pretrained": False}
OTHER = {"path": "tests.segment.test_adapted_network.Halving", "options": {}, "multiple": 4}
SMALL = {
    "deeplabv1_wideresnet38": {"backbone": INTERMEDIATE, "channels": 8},
    "deeplabv2_resnet50": ENCODER,
    "dhr_deeplabv1": {"backbone": INTERMEDIATE, "channels": 8},
    "dhr_deeplabv2": ENCODER,
    "deeplabv3plus_timm": {**ENCODER, "aspp_channels": 8, "decoder_channels": 8, "low_level_channels": 4},
    "smp_unet": OTHER,
}


@pytest.fixture(params=SMALL)
def run(request, tmp_path):
    make_voc_tree(tmp_path / "data/voc", 8, image_labels="npy", pseudo="Pseudo")
    run = TinyRun(tmp_path, f"segmenter={request.param}", "labels=data/voc/Pseudo")
    small = {
        "model": {"init_args": {"network": {"init_args": SMALL[request.param]}}},
        "data": {"init_args": {"workers": 0, "batch_size": 2, "training_set": {"init_args": {"crop_size": 33}}}},
        "trainer": {"max_steps": 2, "accumulate_grad_batches": 1, "enable_progress_bar": False},
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(small))
    return run


def test_from_labels_to_masks(run):
    def words(key):
        with chdir(run.house):
            return command_words(run.places.of(run.stages[key]), run.places)

    fit, masks = (run.path(f"baseline/{stage}") for stage in ("segment", "segment-masks"))
    here = ["-c", "small.yaml", "--trainer.default_root_dir"]
    assert run.run([*words("baseline/segment"), *here, str(fit)]) == 0
    assert run.run([*words("baseline/segment-masks"), *here, str(masks), "--writer.init_args.workers", "0"]) == 0
    ids = (run.house / "data/voc/ImageSets/Segmentation/val.txt").read_text().split()
    found = {path.stem: read_label(path) for path in masks.glob("*.png")}
    assert sorted(found) == sorted(ids) and all(mask.max() <= 20 for mask in found.values())
