"""A segmentation network's masks as files, or complemented labels Yᶜᵒ (predict jobs of the last stage)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from callbacks.output_folder import output_folder, refinement_name, write_about
from callbacks.worker_pool import WorkerPool, worker_count
from datamodules.errors import DataError
from datamodules.files.labels import as_label, label_codes, write_label
from mars_pl.refine.protocol import Refine
from mars_pl.segment.complement import complemented_label
from mars_pl.segment.inference import SegmentationPrediction


class SegmentationWriter(Callback):
    """Writes the argmax of each prediction, refined, as ``<image id>.png``.

    Args:
        refine: R; ``None`` writes the bare argmax.
        workers: processes for refinement and writing, null for one a core; 0 refines on the prediction's device (PAMR
            on a GPU).
        fill: write the data's debiased labels Yᵈᵇ instead, their biased pixels filled with the prediction among the
            image's classes; the bare prediction over all classes goes to the sub-folder ``prediction``, for looking at.
        output: folder, relative to the run's ``default_root_dir``.
    """

    def __init__(
        self, refine: Refine | None = None, workers: int | None = None, fill: bool = False, output: str = "."
    ) -> None:
        self.refine, self.workers, self.fill, self.output = refine, workers, fill, Path(output)

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Make the folders and start the workers."""
        self.output = output_folder(trainer, str(self.output))
        if self.fill:
            output_folder(trainer, str(self.output / "prediction"))
        self.workers = worker_count(self.workers, trainer)
        self.pool: WorkerPool[None] = WorkerPool(self.workers)

    def on_predict_batch_end(  # noqa: D102 - Lightning's hook
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: SegmentationPrediction,
        batch: dict[str, Any],
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if self.fill and not {"label", "classes"} <= batch.keys():
            raise DataError(
                "fill: the data has no labels to fill, or no image labels; set data.label_folder to the folder of "
                "debiased labels and data.image_labels to where the classes stand"
            )
        classes = _competing(outputs.probabilities, batch["classes"][0] if self.fill else None)
        tensors = [batch["image"][0], outputs.probabilities[classes], classes]
        image, probabilities, codes = (tensor.cpu().numpy() if self.workers else tensor for tensor in tensors)
        debiased = None
        if self.fill:
            debiased = batch["label"][0].cpu().numpy()
            mask = as_label(outputs.probabilities.argmax(0).cpu().numpy(), len(outputs.probabilities))
            write_label(self.output / "prediction" / f"{outputs.id}.png", mask)
        path = self.output / f"{outputs.id}.png"
        num_classes = len(outputs.probabilities)
        self.pool.submit(write_segmentation, path, image, probabilities, codes, num_classes, debiased, self.refine)
        for _ in self.pool.results():
            pass

    def on_predict_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Wait for the last file; say how the masks were made."""
        self.pool.close()
        if trainer.is_global_zero:
            write_about(
                self.output,
                refinement=refinement_name(self.refine),
                network=getattr(pl_module, "predict_with", None),
                **views(pl_module),
            )


def _competing(probabilities: Tensor, classes: Tensor | None) -> Tensor:
    """Return the codes of background and of the classes that are probable somewhere, where given the image's own."""
    probable = probabilities.flatten(1).any(dim=1)
    if classes is not None:
        probable[1:] &= classes > 0
    probable[0] = True
    return probable.nonzero().flatten()


def views(module: Any) -> dict[str, Any]:
    """Return how a module looks at an image, for `about.json`: scales, mirror images, windows as (side, stride)."""
    scales, window = tuple(getattr(module, "scales", ())), getattr(module, "window", None)
    return {
        "multi_scale": len(scales) > 1,
        "scales": scales or None,
        "flip": getattr(module, "flip", None),
        "window": window and (window.side, window.step),
    }


def write_segmentation(
    path: Path,
    image: NDArray[np.uint8] | Tensor,
    probabilities: NDArray[np.float32] | Tensor,
    codes: NDArray[np.int64] | Tensor,
    num_classes: int,
    debiased: NDArray[np.int64] | None,
    refine: Refine | None,
) -> None:
    """Write one mask, or one label with its biased pixels filled. Runs in a worker.

    Args:
        path: of the PNG to write; its folder is made where it is absent.
        image: (3, H, W).
        probabilities: (K, H, W) of the classes that compete, background first; those of all classes would fill the
            memory with what waits for a worker.
        codes: (K,), what they are called in a label.
        num_classes: of the data, background counted.
        debiased: label (H, W) to fill; ``None`` writes the mask itself.
        refine: R.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    biased = label_codes(num_classes).biased
    if debiased is not None and not (debiased == biased).any():
        write_label(path, as_label(debiased, num_classes))  # nothing to fill, so nothing to refine
        return
    images, maps, names = (torch.as_tensor(array) for array in (image, probabilities, codes))
    refined = maps if refine is None else refine(images[None], maps[None])[0]
    mask = names[refined.max(dim=0).indices].cpu()
    if debiased is not None:
        mask = complemented_label(torch.from_numpy(debiased), mask, biased)
    write_label(path, as_label(mask.numpy(), num_classes))
