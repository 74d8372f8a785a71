"""docs/scripts/predict_onnx.py, run on a network that `mars export` wrote: ten lines that know nothing of mars-pl."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from tests.commands.export.test_export import CLASSES, Pixelwise
from tests.pipeline.tiny_run import REPOSITORY

pytest.importorskip("onnxruntime")
SCRIPT = REPOSITORY / "docs/scripts/predict_onnx.py"


def test_the_example_writes_the_mask_and_names_the_classes(tmp_path):
    from mars_pl.commands.export.onnx_file import export_onnx

    torch.manual_seed(0)
    network = Pixelwise(len(CLASSES)).eval()
    export_onnx(network, tmp_path / "segmenter.onnx", CLASSES)
    pixels = np.random.default_rng(0).integers(0, 255, (14, 22, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    words = [sys.executable, str(SCRIPT), "segmenter.onnx", "image.png", "mask.png"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    with torch.no_grad():
        logits = network(torch.from_numpy(pixels).permute(2, 0, 1)[None])
    expected = torch.nn.functional.interpolate(logits, pixels.shape[:2], mode="bilinear").argmax(1)[0].numpy()
    mask = np.array(Image.open(tmp_path / "mask.png"))
    assert np.array_equal(mask, expected)
    counts = {CLASSES[code]: int((mask == code).sum()) for code in np.unique(mask)}
    assert done.stdout.splitlines() == [f"{name}: {count} pixels" for name, count in counts.items()]


def test_it_stays_short_and_stands_alone():
    lines = [
        line for line in SCRIPT.read_text().splitlines() if line and not line.startswith(("import", "from", '"""'))
    ]
    assert len(lines) <= 10 and "mars_pl" not in SCRIPT.read_text()
