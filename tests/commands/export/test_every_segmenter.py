"""Every segmenter that ships, exported at its own size with random weights and class names."""

import importlib.util
import json

import pytest
import torch
import yaml

from mars_pl.commands.export.onnx_file import export_onnx
from mars_pl.fitted import read_network
from mars_pl.pipeline.settings.resolved import resolve
from mars_pl.pipeline.settings.yamls import segmenter
from mars_pl.training.initial_weights import start_from_random
from mars_pl.training.weights import save_weights
from tests.pipeline.test_configs import CHOICES, NOT_ALONE

onnxruntime = pytest.importorskip("onnxruntime")
CLASSES = ["background", "cat", "dog"]
OF_ONE_SIZE = {"deeplabv2_resnet50": (96, 128), "deeplabv2_resnet101": (96, 128), "smp_unet": (96, 128)}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CHOICES["segmenter"] if name not in NOT_ALONE])
def test_it_is_exported_with_its_class_names(name, tmp_path, monkeypatch):
    if name == "smp_unet" and importlib.util.find_spec("segmentation_models_pytorch") is None:
        pytest.skip("segmentation_models_pytorch is no dependency")
    network = resolve(segmenter([], name), {})["model"]["init_args"]["network"]
    start_from_random(network)
    data = {"class_path": "datamodules.segmentation_data.SegmentationData", "init_args": {"class_names": CLASSES}}
    settings = {"data": data, "model": {"class_path": "any", "init_args": {"network": network}}}
    (tmp_path / "fit.yaml").write_text(yaml.safe_dump(settings))
    torch.manual_seed(0)
    monkeypatch.setattr("mars_pl.fitted.load_weights", lambda network, path: save_weights(network, path))
    trained, names = read_network(tmp_path)
    assert export_onnx(trained, tmp_path / "a.onnx", names, size=OF_ONE_SIZE.get(name)).passes
    found = onnxruntime.InferenceSession(str(tmp_path / "a.onnx")).get_modelmeta().custom_metadata_map
    assert json.loads(found["class_names"]) == CLASSES
