"""`mars export` in process, on a tiny timm network and on one of a single convolution."""

import json
import sys

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from mars_pl.cli.main import main
from mars_pl.commands.export import onnx_file
from mars_pl.fitted import read_network
from mars_pl.segment.deeplabv2 import DeepLabV2
from mars_pl.segment.deeplabv3plus import DeepLabV3Plus
from mars_pl.training.weights import save_weights

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

CLASSES = ["background", "cat", "dog", "Kühe"]
SMALL = {"aspp_channels": 8, "decoder_channels": 8, "low_level_channels": 4, "output_stride": 16, "dropout": [0.5, 0.1]}


class Pixelwise(nn.Module):
    """Logits at half the size of the image."""

    def __init__(self, num_classes: int):
        super().__init__()
        self.layer = nn.Conv2d(3, num_classes, 2, stride=2)

    def forward(self, images):
        return self.layer(images.float() / 255)


@pytest.fixture
def make_fit(tmp_path):
    """Factory of the folder that a fit leaves; the student's weights are another draw."""

    def make(class_path, **arguments):
        folder = tmp_path / "fit"
        folder.mkdir()
        data = {"class_path": "datamodules.segmentation_data.SegmentationData", "init_args": {"class_names": CLASSES}}
        network = {"class_path": class_path, "init_args": arguments}
        settings = {"data": data, "model": {"class_path": "any", "init_args": {"network": network}}}
        (folder / "fit.yaml").write_text(yaml.safe_dump(settings))
        return folder

    return make


@pytest.fixture
def pixelwise(make_fit):
    folder = make_fit("tests.commands.export.test_export.Pixelwise")
    for seed, name in enumerate(("weights", "student")):
        torch.manual_seed(seed)
        save_weights(Pixelwise(4), folder / f"{name}.safetensors")
    return folder


@pytest.mark.slow
def test_a_deeplab_gives_the_same_logits_at_any_size(make_fit, tmp_path, capsys):
    arguments = SMALL | {"encoder": "test_resnet", "pretrained": True, "weights": "imagenet.safetensors"}
    folder = make_fit("mars_pl.segment.deeplabv3plus.DeepLabV3Plus", **arguments)
    torch.manual_seed(0)
    network = DeepLabV3Plus(4, "test_resnet", **SMALL).eval()
    nn.init.normal_(network.decoder[-1].weight)
    save_weights(network, folder / "weights.safetensors")
    target = tmp_path / "out/segmenter.onnx"
    assert main(["export", str(folder), str(target)]) == 0
    printed = capsys.readouterr().out
    assert "images uint8 (B, 3, H, W) in 0…255 → logits float32 (B, 4, H, W), 4 classes" in printed
    assert "scale 1, no flip, no refinement; teacher" in printed and "largest difference" in printed
    assert [path.name for path in target.parent.iterdir()] == ["segmenter.onnx"]
    session = onnxruntime.InferenceSession(str(target))
    assert session.get_inputs()[0].shape == ["batch", 3, "height", "width"]
    assert json.loads(session.get_modelmeta().custom_metadata_map["class_names"]) == CLASSES
    for size in ((1, 3, 64, 48), (2, 3, 80, 96), (3, 3, 33, 57)):
        images = torch.randint(0, 256, size, dtype=torch.uint8)
        with torch.no_grad():
            expected = nn.functional.interpolate(network(images), size[2:], mode="bilinear").numpy()
        (found,) = session.run(None, {"images": images.numpy()})
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
        assert np.abs(expected).max() > 0.1


def test_masks_of_the_student_from_float_images(pixelwise, tmp_path, capsys):
    target = tmp_path / "masks.onnx"
    options = ["--output", "masks", "--input", "float32", "--network", "student"]
    assert main(["export", str(pixelwise), str(target), *options]) == 0
    assert "images float32 (B, 3, H, W) in 0…255 → class ids int32 (B, H, W), 4 classes" in capsys.readouterr().out
    images = torch.randint(0, 256, (2, 3, 11, 14)).float()
    torch.manual_seed(1)
    logits = nn.functional.interpolate(Pixelwise(4)(images), (11, 14), mode="bilinear")
    (masks,) = onnxruntime.InferenceSession(str(target)).run(None, {"images": images.numpy()})
    assert masks.dtype == np.int32 and np.array_equal(masks, logits.argmax(1).numpy())


@pytest.mark.parametrize("output", ["logits", "masks"])
def test_a_failing_check_leaves_no_file(pixelwise, tmp_path, monkeypatch, capsys, output):
    real = onnx_file._write

    def write_another(network, *arguments):
        network.network.layer.bias.data[1] += 3
        real(network, *arguments)
        network.network.layer.bias.data[1] -= 3

    monkeypatch.setattr(onnx_file, "_write", write_another)
    target = tmp_path / "out/segmenter.onnx"
    assert main(["export", str(pixelwise), str(target), "--output", output]) == 1
    assert "segmenter.onnx: not written, onnxruntime" in capsys.readouterr().err
    assert list(target.parent.iterdir()) == []


def test_the_extra_is_named_where_it_is_missing(pixelwise, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main(["export", str(pixelwise), str(tmp_path / "a.onnx")]) == 1
    line = "mars: error: mars export needs onnxruntime: pip install 'mars-pl[export]'\n"
    assert capsys.readouterr().err == line


def test_another_file_of_weights_and_a_yaml_alone(pixelwise):
    student, names = read_network(pixelwise / "fit.yaml", pixelwise / "student.safetensors")
    assert torch.equal(student.layer.weight, read_network(pixelwise, role="student")[0].layer.weight)
    assert names == tuple(CLASSES) and not student.training


class ToWholeTiles(Pixelwise):
    """Brings images to a multiple of 8 by a division that torch cannot trace, as networks of other packages do."""

    def forward(self, images):
        sides = [max(round(side / 8), 1) * 8 for side in images.shape[-2:]]
        return super().forward(nn.functional.interpolate(images.float(), sides, mode="bilinear"))


def test_code_that_cannot_be_traced_for_any_size_wants_one(make_fit, tmp_path, capsys):
    folder = make_fit("tests.commands.export.test_export.ToWholeTiles")
    save_weights(ToWholeTiles(4), folder / "weights.safetensors")
    target = tmp_path / "segmenter.onnx"
    assert main(["export", str(folder), str(target)]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mars: error: ")]
    assert "the network cannot be traced (" in line and line.endswith("give the images' --size HEIGHT WIDTH")
    assert not target.exists()
    assert main(["export", str(folder), str(target), "--size", "60", "44"]) == 0


def test_what_is_no_fit_is_named(pixelwise, tmp_path, capsys):
    def fault(fit, *options):
        assert main(["export", str(fit), str(tmp_path / "a.onnx"), *options]) == 1
        return capsys.readouterr().err.removeprefix("mars: error: ")

    assert fault(tmp_path / "nowhere").startswith(f"{tmp_path}/nowhere: no such configuration; name the folder")
    save_weights(Pixelwise(5), tmp_path / "five.safetensors")
    assert "has shape" in fault(pixelwise, "--weights", str(tmp_path / "five.safetensors"))
    (pixelwise / "weights.safetensors").unlink()
    assert "weights.safetensors: no such weights" in fault(pixelwise)
    settings = yaml.safe_load((pixelwise / "fit.yaml").read_text())
    del settings["model"]["init_args"]["network"]
    (pixelwise / "fit.yaml").write_text(yaml.safe_dump(settings))
    assert "names no network at model.init_args.network" in fault(pixelwise)
    assert not (tmp_path / "a.onnx").exists()


def test_a_network_of_other_classes_is_refused(tmp_path):
    with pytest.raises(ValueError, match="5 output channels, the data 4 classes"):
        onnx_file.export_onnx(Pixelwise(5), tmp_path / "a.onnx", CLASSES)


@pytest.mark.slow
def test_scales_within_a_network_want_a_size(make_fit, tmp_path, capsys):
    arguments = {"encoder": "test_resnet", "first_dilations": None, "rates": [1], "scales": [0.5]}
    folder = make_fit("mars_pl.segment.deeplabv2.DeepLabV2", **arguments)
    torch.manual_seed(0)
    network = DeepLabV2(4, **arguments).eval()
    for classifier in network.classifiers:
        nn.init.normal_(classifier.weight)
    save_weights(network, folder / "weights.safetensors")
    target = tmp_path / "segmenter.onnx"
    assert main(["export", str(folder), str(target)]) == 1
    assert "give the images' --size HEIGHT WIDTH" in capsys.readouterr().err and not target.exists()
    assert main(["export", str(folder), str(target), "--size", "64", "48"]) == 0
    assert "images uint8 (B, 3, 64, 48)" in capsys.readouterr().out
    images = torch.randint(0, 256, (2, 3, 64, 48), dtype=torch.uint8)
    with torch.no_grad():
        expected = nn.functional.interpolate(network(images), (64, 48), mode="bilinear").numpy()
    (found,) = onnxruntime.InferenceSession(str(target)).run(None, {"images": images.numpy()})
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
