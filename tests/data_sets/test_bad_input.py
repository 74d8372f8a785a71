"""What goes wrong ends, before any training starts, in one line that names the file and the remedy."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.files.labels import read_label, write_label
from mars_pl.cli.main import main
from mars_pl.training.weights import save_weights
from tests.fakes.fake_tree import make_voc_tree
from tests.pipeline.tiny_run import TinyRun

FIRST, LAST = "2007_000001", "2007_000003"


@pytest.fixture
def run(tmp_path):
    """A house of its own: the tests damage its tree. Four images, three of them to train on."""
    make_voc_tree(tmp_path / "data" / "voc", 4, image_labels="npy", pseudo="Pseudo")
    return TinyRun(tmp_path)


@pytest.fixture
def root(run):
    return run.house / "data" / "voc"


@pytest.fixture
def fault(run, capsys):
    """Start a stage, expect it to be refused, and return its one line."""

    def start(stage, *more, code=1):
        capsys.readouterr()
        assert run.run([*run.words(stage), *more]) == code
        stderr = capsys.readouterr().err
        lines = [line for line in stderr.splitlines() if line.startswith("mars: error: ")]
        assert len(lines) == 1 and "Traceback" not in stderr
        assert len(lines[0]) < 400
        assert not list(run.house.glob("runs/**/*.ckpt")) and not list(run.house.glob("runs/**/weights.safetensors"))
        return lines[0].removeprefix("mars: error: ")

    return start


SUPERVISED = ("supervised/segment", "--data.init_args.batch_size", "2")


def test_the_stages_themselves_are_sound(run):
    assert run.run(run.words("cam/wsss-classifier")) == 0
    assert run.run([*run.words(SUPERVISED[0]), *SUPERVISED[1:]]) == 0


def test_missing_folder(fault):
    line = fault("cam/wsss-classifier", "--data.init_args.root", "data/nowhere")
    assert line.startswith("data/nowhere: no such data folder") and "set data.root" in line


def test_missing_list(fault):
    line = fault("cam/wsss-classifier", "--data.init_args.fit_split", "trainaug")
    assert "ImageSets/Segmentation/trainaug.txt: no such list" in line and "train_aug" in line


def test_missing_label_folder(fault):
    line = fault(*SUPERVISED, "--data.init_args.label_folder", "runs/elsewhere/labels")
    assert line.startswith("runs/elsewhere/labels: no such label folder")


def test_missing_image(fault, root):
    (root / "JPEGImages" / f"{FIRST}.jpg").unlink()
    assert f"JPEGImages/{FIRST}.jpg: no such image" in fault("cam/wsss-classifier")


def test_mask_of_another_size(fault, root):
    path = root / "SegmentationClassAug" / f"{LAST}.png"
    with Image.open(root / "JPEGImages" / f"{LAST}.jpg") as image:
        width, height = image.size
    write_label(path, np.zeros((height, width + 1), dtype=np.uint8))
    line = fault(*SUPERVISED)
    assert f"SegmentationClassAug/{LAST}.png: {width + 1}×{height} pixels, its image {width}×{height}" in line


def test_truth_of_another_size(fault, root):
    path = root / "SegmentationClass" / "2007_000004.png"  # of `val`
    write_label(path, np.zeros((3, 3), dtype=np.uint8))
    assert "SegmentationClass/2007_000004.png: 3×3 pixels" in fault("cam/wsss-classifier")


def test_label_beyond_the_classes(fault, root):
    path = root / "SegmentationClassAug" / f"{FIRST}.png"
    label = read_label(path)
    label[0, 0] = 21
    write_label(path, label)
    line = fault(*SUPERVISED)
    assert f"{FIRST}.png: holds code 21, the data 0 to 20, 254 and 255" in line and "map the codes" in line


def test_truncated_image(fault, root):
    path = root / "JPEGImages" / f"{FIRST}.jpg"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    line = fault("cam/wsss-classifier")
    assert f"JPEGImages/{FIRST}.jpg: cannot be decoded" in line and "fetch the image again" in line


def test_image_without_a_label(fault, root):
    (root / "SegmentationClassAug" / f"{FIRST}.png").unlink()
    assert f"SegmentationClassAug/{FIRST}.png: no such label" in fault(*SUPERVISED)


def test_image_without_an_image_label(fault, root):
    table = np.load(root / "cls_labels.npy", allow_pickle=True).item()
    del table[int(FIRST.replace("_", ""))]
    np.save(root / "cls_labels.npy", table)
    line = fault("cam/wsss-classifier")
    assert f"cls_labels.npy: no image label for {FIRST}" in line and "take it off the list" in line


def test_no_image_labels_at_all(fault, root):
    (root / "cls_labels.npy").unlink()
    assert "data/voc/Annotations: no image labels" in fault("cam/wsss-classifier")


class Payload:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        from os import mkdir

        return mkdir, (str(self.target),)


def test_cls_labels_that_try_to_run_code(fault, root, tmp_path):
    target = tmp_path / "it_ran"
    np.save(root / "cls_labels.npy", np.array(Payload(target), dtype=object), allow_pickle=True)
    line = fault("cam/wsss-classifier")
    assert not target.exists()
    assert "cls_labels.npy: refused" in line and "mkdir" in line
    with (root / "cls_labels.npy").open("rb") as file:  # the file is dangerous: numpy itself would run it
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        pickle.load(file)
    assert target.exists()


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
    words = [f"{network}.class_path", "tests.data_sets.test_bad_input.ThreeChannels"]
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
