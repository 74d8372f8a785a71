"""WSSS=seam through the real command with the shipped YAMLs: SEAM, its scores, AffinityNet on their cells, labels."""

from contextlib import chdir

import numpy as np
import pytest
import yaml

from datamodules.files.labels import read_label
from datamodules.files.scores import read_scores
from mars_pl.cli.main import main
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import REPOSITORY

BACKBONE = {
    "class_path": "mars_pl.networks.intermediate_features.TimmIntermediateFeatures",
    "init_args": {"name": "test_resnet", "weights": None},
}
SEAM = {"network": {"init_args": {"backbone": BACKBONE}}, "scales": [1.0]}
AFFINITY = {"affinity_net": {"init_args": {"backbone": BACKBONE}}}
CROPS = {"batch_size": 2, "training_set": {"init_args": {"crop_size": 48}}}
QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.logger", "false"]


def composed(house, stage, yamls, model, data):
    (house / f"{stage}.yaml").write_text(yaml.safe_dump({"model": {"init_args": model}, "data": {"init_args": data}}))
    files = [f"configs/{name}.yaml" for name in ("data/voc", *yamls, "trainer/cpu")]
    words = [word for file in [*files, f"{stage}.yaml"] for word in ("-c", file)]
    return [*words, "--data.init_args.root", "tree", "--data.init_args.workers", "0", *QUIET]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Run the four stages in one house; returns it."""
    house = tmp_path_factory.mktemp("seam")
    (house / "configs").symlink_to(REPOSITORY / "configs")
    make_voc_tree(house / "tree", 4)
    alone = ["--writer.init_args.workers", "0"]
    trained, scored = ["--model.init_args.weights"], ["--data.init_args.score_folder", "scores"]
    stages = [
        ("fit", "fit", ["wsss/seam"], SEAM, CROPS, ["--trainer.max_epochs", "1"]),
        (
            "predict",
            "scores",
            ["wsss/seam", "wsss/seam_scores"],
            SEAM,
            {},
            [*trained, "fit/weights.safetensors", *alone],
        ),
        ("fit", "walk", ["wsss/seam_propagation"], AFFINITY, CROPS, ["--trainer.max_epochs", "1"]),
        ("predict", "labels", ["wsss/seam_propagation", "wsss/seam_labels"], AFFINITY, {}, [*scored, *alone]),
    ]
    with chdir(house):
        for job, stage, yamls, model, data, words in stages:
            words += ["--data.init_args.label_folder", "scores/confident"] if stage == "walk" else []
            words += [*trained, "walk/weights.safetensors"] if stage == "labels" else []
            words = [*composed(house, stage, yamls, model, data), *words, "--trainer.default_root_dir", stage]
            assert main([job, *words]) == 0, stage
    return house


def test_the_maps_beside_a_confident_label_are_those_of_its_classes(house):
    ids = (house / "tree/ImageSets/Segmentation/train_aug.txt").read_text().split()
    for image_id in ids:
        class_ids, scores = read_scores(house / f"scores/{image_id}.npz")
        own, maps = read_scores(house / f"scores/confident/{image_id}.npz")
        label = read_label(house / f"scores/confident/{image_id}.png")
        assert own.tolist() == [0, *class_ids.tolist()] * 2 and maps.shape[1:] == scores.shape[1:] == label.shape
        assert set(np.unique(label)) <= {0, 255, *class_ids.tolist()}


def test_the_walk_leaves_a_label_of_every_image(house):
    ids = (house / "tree/ImageSets/Segmentation/train_aug.txt").read_text().split()
    for folder in ("mars", "baseline"):
        assert sorted(path.stem for path in (house / "labels" / folder).glob("*.png")) == ids


def test_scores_of_before_the_maps_were_kept_end_the_fit_in_one_line(house, capsys):
    words = composed(house, "walk", ["wsss/seam_propagation"], AFFINITY, CROPS)
    with chdir(house):
        words += ["--data.init_args.label_folder", str(house / "tree/SegmentationClassAug")]
        assert main(["fit", *words, "--trainer.default_root_dir", "old"]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mars: error: ")]
    assert len(lines) == 1 and "2007_000001.npz: no maps beside the confident label; predict scores" in lines[0]
