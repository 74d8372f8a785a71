"""Each kind of segmenter through the real command, with its shipped YAMLs, from labels to masks of val."""

import pytest
import yaml

from datamodules.files.labels import read_label
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
    "deeplabv3plus_timm": {**ENCODER, "aspp_channels": 8, "decoder_channels": 8, "low_level_channels": 4},
    "smp_unet": OTHER,
}


@pytest.fixture(params=SMALL)
def run(request, tmp_path):
    make_voc_tree(tmp_path / "data/voc", 8, image_labels="npy", pseudo="Pseudo")
    run = TinyRun(tmp_path, f"SEGMENTER={request.param}", "LABELS=data/voc/Pseudo")
    small = {
        "model": {"init_args": {"network": {"init_args": SMALL[request.param]}}},
        "data": {"init_args": {"workers": 0, "batch_size": 2, "crop_size": 33}},
        "trainer": {"max_steps": 2, "accumulate_grad_batches": 1, "enable_progress_bar": False},
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(small))
    return run


def test_from_labels_to_masks(run):
    folder = next(name for name in run.plan if "/segment-baseline-" in name).rsplit("/", 1)[0]
    assert run.run([*run.plan[f"{folder}/fit"], "-c", "small.yaml"]) == 0
    predict = [*run.plan[f"{folder}/predictions"], "-c", "small.yaml", "--writer.init_args.workers", "0"]
    assert run.run(predict) == 0
    ids = (run.house / "data/voc/ImageSets/Segmentation/val.txt").read_text().split()
    masks = {path.stem: read_label(path) for path in (run.house / folder / "predictions").glob("*.png")}
    assert sorted(masks) == sorted(ids) and all(mask.max() <= 20 for mask in masks.values())
