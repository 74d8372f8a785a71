"""Wrong settings, weights and options end, before any training starts, in one line that names the remedy."""

import pytest
import torch

from mars_pl.cli.main import main
from mars_pl.training.weights import save_weights

FIRST, LAST = "2007_000001", "2007_000003"

SUPERVISED = ("supervised/segment", "--data.init_args.batch_size", "2")


@pytest.mark.parametrize("stage", ["wsss-labels", "mars/segment-masks", "debias-centroids"])
def test_missing_weights(fault, stage):
    line = fault(stage)
    assert "weights.safetensors: no such weights" in line and "run the stage that makes it" in line


def test_missing_neighbours(fault):
    assert "neighbours.safetensors: no such file; make the neighbours first" in fault("uss-fit")


def test_missing_centroids(fault, tmp_path):
    (tmp_path / "no_head.yaml").write_text(
        "model: {init_args: {feature_extractor: {init_args: {head: null, weights: null}}}}"
    )
    line = fault("debias-labels", "-c", "no_head.yaml")
    assert "centroids.safetensors: no such centroids; run the centroids stage first" in line


def test_weights_of_another_network(fault, tmp_path):
    save_weights(torch.nn.Linear(2, 2), tmp_path / "other.safetensors")
    line = fault("mars/segment-masks", "--model.init_args.weights", "other.safetensors")
    assert line.startswith("other.safetensors: not the weights of DeepLabV3Plus")


def test_network_with_another_number_of_classes(fault):
    network = "--model.init_args.network"
    words = [f"{network}.class_path", "tests.data_sets.test_bad_settings.ThreeChannels"]
    line = fault(*SUPERVISED, *words)
    assert (
        "the network ThreeChannels has 3 output channels, the data 21 classes" in line
        and "set the network's num_classes, whatever it calls them, to 21" in line
    )


def test_a_network_that_is_no_network_of_ours_is_told_of_the_adapter(fault):
    layer = ["--model.init_args.network.class_path", "torch.nn.Conv2d"]
    sizes = {"in_channels": "3", "out_channels": "21", "kernel_size": "1"}
    options = [word for name, value in sizes.items() for word in (f"--model.init_args.network.init_args.{name}", value)]
    line = fault(*SUPERVISED, *layer, *options)
    assert "network Conv2d: in_channels, its first parameter, is the data's number of classes" in line
    assert "adapted_network.AdaptedNetwork" in line


class ThreeChannels(torch.nn.Module):
    """A network that goes its own way."""

    def __init__(self, num_classes: int = 3, kernel: int = 1):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, kernel)

    def forward(self, image):
        return self.layer(image.float())


def test_a_batch_of_more_than_there_are(fault):
    line = fault("cam/wsss-classifier", "--data.init_args.batch_size", "4")
    assert "a batch of 4 is more than 3 images give" in line and "set data.batch_size to 3 or less" in line


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--model.init_args.lrr", "1"), "model: ClassificationModule: Option 'lrr' is not accepted"),
        (("--data.init_args.batchsize", "1"), "data: VOC: Option 'batchsize' is not accepted"),
        (("--model.init_args.network.init_args.bakbone", "x"), "Option 'bakbone' is not accepted"),
        (("--trainer.max_epochen", "1"), "max_epochen"),
        (
            ("--data.init_args.training_set.init_args.cropsize", "1"),
            "data: VOC: training_set: RandomCrops: Option 'cropsize' is not accepted",
        ),
        (("--data.init_args.batch_size", "many"), "data: VOC: batch_size: Expected a <class 'int'>. Got value: many"),
        (("-c", "configs/wsss/no_such.yaml"), "no_such.yaml"),
        (("--model", "mars_pl.wsss.cam.classification_module.Classifier"), "Classifier"),
    ],
)
def test_misspelt_option(fault, option, says):
    line = fault("cam/wsss-classifier", *option, code=2)
    assert says in line
    assert line.endswith("; `mars fit --help` lists the options")
    assert "Union" not in line and "Given value" not in line


def test_misspelt_option_in_a_yaml(fault, tmp_path):
    (tmp_path / "mine.yaml").write_text("model: {init_args: {network: {init_args: {frosen: [conv1]}}}}")
    line = fault("cam/wsss-classifier", "-c", "mine.yaml", code=2)
    assert line.startswith("model: ClassificationModule: network: CAMClassifier: Option 'frosen' is not accepted")


def test_misspelt_option_of_a_callback(fault, tmp_path):
    writer = "writer: {class_path: callbacks.pseudo_label_writer.PseudoLabelWriter, init_args: {sweeep: 1}}"
    (tmp_path / "mine.yaml").write_text(writer)
    line = fault("wsss-labels", "-c", "mine.yaml", code=2)
    assert line.startswith("writer: PseudoLabelWriter: Option 'sweeep' is not accepted")


def test_misspelt_command(capsys):
    assert main(["predikt"]) == 2
    assert "predikt" in capsys.readouterr().err.splitlines()[-1]


def test_evaluate_names_the_missing_mask(run, root, capsys):
    words = ["evaluate", str(root / "Pseudo"), str(root / "SegmentationClass"), "--data", "voc"]
    assert run.run(words) == 0
    (root / "SegmentationClass" / f"{FIRST}.png").unlink()
    capsys.readouterr()
    assert run.run(words) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mars: error: ") and f"SegmentationClass/{FIRST}.png" in line
