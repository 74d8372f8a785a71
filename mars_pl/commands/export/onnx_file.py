"""A segmentation network as one ONNX file of its own size, written only where onnxruntime agrees with torch."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from datamodules.files.whole_file import whole_file
from mars_pl.networks.aspp import resize

TOLERANCE = 1e-4
"""Largest difference that passes, as a share of the largest logit (of 1, where all are smaller)."""

Shape = tuple[int, int, int]

SHAPES: tuple[Shape, ...] = ((1, 64, 48), (2, 80, 96), (1, 161, 97))
"""Number, height and width of the images that the check compares."""


class AtImageSize(nn.Module):
    """A network whose logits, or class ids int32 (B, H, W), have the size of the images."""

    def __init__(self, network: nn.Module, masks: bool = False) -> None:
        super().__init__()
        self.network, self.masks = network, masks

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) in [0, 255] to logits float32 (B, K, H, W), or to class ids."""
        logits = resize(self.network(images).float(), images.shape[-2:])
        return logits.argmax(dim=1).int() if self.masks else logits


@dataclass(frozen=True)
class Check:
    """What onnxruntime said of the same images.

    Args:
        result: of the network, in words.
        difference: the largest between its logits and torch's; of masks, by how much the logit of a pixel's class lies
            below the highest.
        largest: the largest logit, in absolute value.
        shapes: of the images.
    """

    result: str
    difference: float
    largest: float
    shapes: Sequence[Shape]

    @property
    def passes(self) -> bool:
        """Whether the two are the same but for rounding."""
        return self.difference <= TOLERANCE * max(1.0, self.largest)

    @property
    def words(self) -> str:
        """The finding in a line."""
        sizes = ", ".join("×".join(map(str, shape)) for shape in self.shapes)
        found = f"largest difference {self.difference:.1e}, logits up to {self.largest:.1f}"
        return f"onnxruntime {onnxruntime.__version__} beside torch: {found} (batches of {sizes})"


def export_onnx(
    network: nn.Module,
    target: Path,
    class_names: Sequence[str],
    dtype: str = "uint8",
    output: str = "logits",
    size: tuple[int, int] | None = None,
) -> Check:
    """Write a network as ONNX with free batch, height and width; the class names stand in the file's metadata.

    Args:
        network: maps images (B, 3, H, W) in [0, 255] to logits (B, K, h, w); in evaluation mode.
        target: file; appears only where the check passes.
        class_names: of the K classes.
        dtype: of the images, `uint8` or `float32`.
        output: `logits` (B, K, H, W) or `masks`, class ids int32 (B, H, W).
        size: height and width of all images, for networks that cannot be traced for any (DeepLabv2's scales).

    Raises:
        ValueError: where the network has another number of classes or cannot be exported, or the check fails.
    """
    logits = AtImageSize(network)
    channels = logits(torch.zeros(1, 3, 64, 64)).shape[1]
    if channels != len(class_names):
        raise ValueError(f"the network has {channels} output channels, the data {len(class_names)} classes")
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as partial:
        _write(AtImageSize(network, output == "masks"), partial, class_names, dtype, output, size)
        check = compare(logits, partial, dtype, output, SHAPES if size is None else ((1, *size), (3, *size)))
        if not check.passes:
            remedy = "try other versions of torch and onnxruntime" if size else "give the images' --size HEIGHT WIDTH"
            raise ValueError(f"{target}: not written, {check.words}; {remedy}")
    return check


def compare(logits: nn.Module, path: Path, dtype: str, output: str, shapes: Sequence[Shape] = SHAPES) -> Check:
    """Run images of the given shapes through a file and through torch."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    difference = largest = 0.0
    for batch, height, width in shapes:
        images = torch.randint(0, 256, (batch, 3, height, width), generator=generator).to(getattr(torch, dtype))
        with torch.no_grad():
            expected = logits(images).numpy()
        (found,) = session.run(None, {"images": images.numpy()})
        scale = float(np.abs(expected).max())
        if output == "masks":
            chosen = np.take_along_axis(expected, found[:, None].astype(np.int64), axis=1)
            apart = float((expected.max(axis=1, keepdims=True) - chosen).max())
        else:
            apart = float(np.abs(found - expected).max())
        difference, largest = max(difference, apart), max(largest, scale)
    classes = expected.shape[1]
    result = "class ids int32 (B, H, W)" if output == "masks" else f"logits float32 (B, {classes}, H, W)"
    return Check(f"{result}, {classes} classes", difference, largest, shapes)


def _write(
    network: nn.Module,
    path: Path,
    class_names: Sequence[str],
    dtype: str,
    output: str,
    size: tuple[int, int] | None,
) -> None:
    height, width = size or (72, 88)  # no two sizes alike, so that none is tied
    images = torch.zeros(2, 3, height, width, dtype=getattr(torch, dtype))
    free = {0: "batch"} if size else {0: "batch", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own deprecations
        try:
            program = torch.onnx.export(
                network.eval(),
                (images,),
                dynamo=True,
                dynamic_shapes={"images": free},
                input_names=["images"],
                output_names=[output],
                verbose=False,
            )
        except Exception as error:  # torch raises all sorts at code that it cannot follow
            remedy = "it cannot be exported" if size else "give the images' --size HEIGHT WIDTH"
            reason = " ".join(str(error.__cause__ or error).split())[:160]
            raise ValueError(f"the network cannot be traced ({reason}); {remedy}") from None
    assert program is not None
    program.model.metadata_props["class_names"] = json.dumps(list(class_names), ensure_ascii=False)
    program.save(str(path), external_data=False)
