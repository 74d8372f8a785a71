"""What is measured: each function prepares its input, which is not timed, and returns the call that is."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch
from jsonargparse import ArgumentParser
from PIL import Image
from sklearn.datasets import load_sample_image
from torch import nn

from mars_pl.debias.distance import find_background
from mars_pl.pipeline.settings.resolved import resolve
from mars_pl.pipeline.settings.yamls import layers, segmenter
from mars_pl.refine.dense_crf import DenseCRF
from mars_pl.refine.pamr import PAMR
from mars_pl.refine.protocol import Refine
from mars_pl.refine.torch_crf import TorchDenseCRF
from mars_pl.segment.segmentation_module import SegmentationModule
from mars_pl.wsss.irn.propagation import propagate

Subject = Callable[[], object]

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def random_walk() -> Subject:
    """IRN's walk from scores of 500×500 pixels to scores of that size: 3 classes, radius 5, 2⁸ steps."""
    scores, edge = smooth(3, 500, 500), smooth(2, 125, 125)[0]
    return lambda: propagate(scores, edge, radius=5, exponent=10, steps=256)


def linear_distance() -> Subject:
    """Eq. 1 for 30,000 candidates of 90 channels and 20,000 background centroids."""
    table = [(torch.tensor([0] * 20_000 + [1] * 30_000), torch.randn(50_000, 90))]
    return lambda: find_background(table).distances(table)


def dense_crf() -> Subject:
    """Dense CRF on an image of 500×375 pixels, DeepLab's settings, background and 2 classes."""
    return _refinement(DenseCRF(), 3)


def dense_crf_2() -> Subject:
    """The same with background and one class, as the debiased labels are refined."""
    return _refinement(DenseCRF(), 2)


def dense_crf_21() -> Subject:
    """The same with all 21 classes of VOC."""
    return _refinement(DenseCRF(), 21)


def torch_crf() -> Subject:
    """Dense CRF in PyTorch with 3 classes, on the GPU where there is one."""
    return _refinement(TorchDenseCRF(), 3, DEVICE)


def torch_crf_21() -> Subject:
    """The same with all 21 classes of VOC."""
    return _refinement(TorchDenseCRF(), 21, DEVICE)


def torch_crf_2() -> Subject:
    """The same with two labels."""
    return _refinement(TorchDenseCRF(), 2, DEVICE)


def torch_crf_2_early() -> Subject:
    """The same with two labels, stopped where at most one label in 200 would change."""
    return _refinement(TorchDenseCRF(tolerance=0.005), 2, DEVICE)


def torch_crf_batch() -> Subject:
    """Dense CRF in PyTorch with 3 classes on 8 such images in one call, on the GPU where there is one."""
    return _refinement(TorchDenseCRF(), 3, DEVICE, images=8)


def pamr() -> Subject:
    """PAMR on the same image with 3 classes: 10 iterations, 48 neighbours."""
    return _refinement(PAMR(), 3)


def segmenter_step() -> Subject:
    """A training step on scenes: 16 crops of 96×96, half of them with biased pixels, filled by teacher and PAMR."""
    module = _scenes_module()
    module.log = lambda *_, **__: None  # there is no trainer
    optimizer = torch.optim.AdamW(module.network.parameters())
    images = torch.randint(0, 256, (16, 3, 96, 96), dtype=torch.uint8)
    label = torch.zeros(16, 96, 96, dtype=torch.int64)
    label[:, 24:72, 24:72], label[::2, 24:72, 48:72] = 1, module.biased_index
    batch = {"id": ["a"] * 16, "image": images, "label": label, "classes": torch.eye(7)[:1].expand(16, 7)}

    def step() -> None:
        optimizer.zero_grad()
        module.training_step(batch, 0).backward()
        optimizer.step()

    return step


SUBJECTS = {
    subject.__name__: subject
    for subject in (
        random_walk,
        linear_distance,
        dense_crf,
        dense_crf_2,
        dense_crf_21,
        torch_crf,
        torch_crf_21,
        torch_crf_2,
        torch_crf_2_early,
        torch_crf_batch,
        pamr,
        segmenter_step,
    )
}


def smooth(classes: int, height: int, width: int) -> torch.Tensor:
    """Probabilities (classes, height, width) of a few broad regions, as networks give them."""
    logits = 4 * torch.randn(1, classes, 6, 8)
    return nn.functional.interpolate(logits, (height, width), mode="bicubic").softmax(1)[0]


def _refinement(refine: Refine, classes: int, device: str = "cpu", images: int = 1) -> Subject:
    """Refine the same maps along photographs that differ from call to call, as those of a data set do."""
    picture = Image.fromarray(load_sample_image("china.jpg")).resize((500, 375))  # comes with scikit-learn
    one = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    batch = torch.stack([one.roll(shift, dims=2) for shift in range(images)]).to(device)
    probabilities = smooth(classes, 375, 500).expand(images, -1, -1, -1).contiguous().to(device)
    calls = itertools.count()
    return lambda: refine(batch.roll(next(calls), dims=3), probabilities).sum().item()  # waits for a GPU


def _scenes_module() -> SegmentationModule:
    yamls = [*layers("scenes", "segment/segment"), *segmenter("scenes", "deeplabv3plus_scenes")]
    model = resolve(yamls, {"model.num_classes": 8, "model.network.num_classes": 8})["model"]
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--model", type=nn.Module)
    parsed = parser.parse_object({"model": model})
    return parser.instantiate_classes(parsed).model.train()
