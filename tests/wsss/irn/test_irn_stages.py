"""WSSS=irn through the real command with the shipped YAMLs: classifier, scores, propagation, labels."""

import json
from contextlib import chdir

import numpy as np
import pytest
import yaml

from datamodules.files.labels import read_label
from datamodules.files.scores import read_scores
from mars_pl.cli.main import main
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import REPOSITORY

NETWORK = {"backbone": "test_resnet", "pretrained": False}
CAM = NETWORK | {"frozen": [], "frozen_batch_norm": False}
CROPS = {"fit": {"crop_size": 48, "long_side": [48, 64]}, "propagation": {"crop_size": 48, "scale": [0.8, 1.2]}}
QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.logger", "false"]


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """Run the four stages in one house; returns it."""
    house = tmp_path_factory.mktemp("irn")
    (house / "configs").symlink_to(REPOSITORY / "configs")
    make_voc_tree(house / "tree", 4)

    def run(subcommand, stage, yamls, network, *words):
        small = {"model": {"init_args": {"network": {"init_args": network}}}}
        if stage in CROPS:
            small["data"] = {"init_args": {"batch_size": 2, "training_set": {"init_args": CROPS[stage]}}}
        (house / f"{stage}.yaml").write_text(yaml.safe_dump(small))
        files = [f"configs/{name}.yaml" for name in ("data/voc", *yamls, "trainer/cpu")]
        composed = [word for file in [*files, f"{stage}.yaml"] for word in ("-c", file)]
        root = ["--data.init_args.root", "tree", "--data.init_args.workers", "0", "--trainer.default_root_dir", stage]
        assert main([subcommand, *composed, *root, *QUIET, *words]) == 0, stage

    callback = "--writer.init_args.workers"
    with chdir(house):
        run("fit", "fit", ["wsss/cam"], CAM, "--trainer.max_epochs", "2", "--model.init_args.scales", "[1.0]")
        cam = ["--model.init_args.weights", "fit/weights.safetensors", callback, "0"]
        run("predict", "scores", ["wsss/cam", "wsss/cam_scores"], CAM, *cam)
        backbone = ["--model.init_args.network.init_args.classifier_weights", "fit/weights.safetensors"]
        pairs = ["--data.init_args.label_folder", "scores/confident", "--model.init_args.radius", "3"]
        words = [*backbone, *pairs, "--trainer.max_epochs", "1"]
        run("fit", "propagation", ["wsss/irn_propagation"], NETWORK, *words)
        walk = [
            "--model.init_args.weights",
            "propagation/weights.safetensors",
            "--data.init_args.score_folder",
            "scores",
        ]
        run("predict", "labels", ["wsss/irn_propagation", "wsss/irn_labels"], NETWORK, *walk, callback, "0")
    return house


def test_every_image_has_scores_of_its_classes_and_a_confident_label(stages):
    ids = (stages / "tree/ImageSets/Segmentation/train_aug.txt").read_text().split()
    assert sorted(path.stem for path in (stages / "scores").glob("*.npz")) == ids
    for number, image_id in enumerate(ids):
        class_ids, scores = read_scores(stages / "scores" / f"{image_id}.npz")
        label = read_label(stages / "scores" / "confident" / f"{image_id}.png")
        assert number % 3 + 1 in class_ids.tolist()
        assert scores.shape == (len(class_ids), *label.shape)
        assert set(np.unique(label)) <= {0, 255, *class_ids.tolist()}


def test_labels_without_a_crf_and_the_sweep(stages):
    ids = (stages / "tree/ImageSets/Segmentation/train_aug.txt").read_text().split()
    for folder in ("mars", "baseline"):
        assert sorted(path.stem for path in (stages / "labels" / folder).glob("*.png")) == ids
        assert json.loads((stages / "labels" / folder / "about.json").read_text())["refinement"] == "none"
    sweep = json.loads((stages / "labels" / "sweep.json").read_text())
    assert sweep["images"] == 3 and 0.25 in [row["background"] for row in sweep["scores"]]


def test_scores_that_are_missing_end_the_job_in_one_line(stages, capsys):
    words = ["predict", "-c", "configs/data/voc.yaml", "-c", "configs/wsss/irn_propagation.yaml"]
    words += ["-c", "configs/wsss/irn_labels.yaml", "-c", "configs/trainer/cpu.yaml", "-c", "labels.yaml"]
    words += ["--data.init_args.root", "tree", "--data.init_args.score_folder", "labels", *QUIET]
    with chdir(stages):
        assert main(words) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mars: error: ")]
    assert len(lines) == 1 and "2007_000001.npz: no such score file; run the stage that makes scores" in lines[0]
