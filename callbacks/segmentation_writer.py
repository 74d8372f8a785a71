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
from callbacks.worker_pool import WorkerPool
from datamodules.errors import DataError
from datamodules.labels import as_label, label_codes, write_label
from mars_pl.refine.protocol import Refine
from mars_pl.segment.complement import complemented_label, teacher_label
from mars_pl.segment.inference import SegmentationPrediction


class SegmentationWriter(Callback):
    """Writes the argmax of each prediction, refined, as ``<image id>.png``.

    Args:
        refine: R; ``None`` writes the bare argmax.
        workers: processes for refinement and writing; 0 refines on the prediction's device (PAMR on a GPU).
        fill: write the data's debiased labels Yᵈᵇ instead, their biased pixels filled with the prediction among the
            image's classes; the bare prediction over all classes goes to the sub-folder ``prediction``, for looking at.
        output: folder, relative to the run's ``default_root_dir``.
    """

    def __init__(self, refine: Refine | None = None, workers: int = 2, fill: bool = False, output: str = ".") -> None:
        self.refine, self.workers, self.fill, self.output = refine, workers, fill, Path(output)

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Make the folders and start the workers."""
        self.output = output_folder(trainer, str(self.output))
        if self.fill:
            output_folder(trainer, str(self.output / "prediction"))
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
        every = outputs.probabilities.new_ones(len(outputs.probabilities) - 1)
        classes = batch["classes"][0] if self.fill else every
        tensors = [batch["image"][0], outputs.probabilities, classes]
        image, probabilities, present = (tensor.cpu().numpy() if self.workers else tensor for tensor in tensors)
        debiased = None
        if self.fill:
            if "label" not in batch:
                raise DataError(
                    "fill: the data has no labels to fill; set data.labels to the folder of debiased labels"
                )
            debiased = batch["label"][0].cpu().numpy()
            mask = as_label(outputs.probabilities.argmax(0).cpu().numpy(), len(outputs.probabilities))
            write_label(self.output / "prediction" / f"{outputs.id}.png", mask)
        path = self.output / f"{outputs.id}.png"
        self.pool.submit(write_segmentation, path, image, probabilities, present, debiased, self.refine)
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
                multi_scale=len(getattr(pl_module, "scales", ())) > 1,
            )


def write_segmentation(
    path: Path,
    image: NDArray[np.uint8] | Tensor,
    probabilities: NDArray[np.float32] | Tensor,
    classes: NDArray[np.float32] | Tensor,
    debiased: NDArray[np.int64] | None,
    refine: Refine | None,
) -> None:
    """Write one mask, or one label with its biased pixels filled. Runs in a worker.

    Args:
        path: of the PNG to write.
        image: (3, H, W).
        probabilities: (K, H, W), background first.
        classes: (K − 1,), those that compete with background.
        debiased: label (H, W) to fill; ``None`` writes the mask itself.
        refine: R.
    """
    num_classes = len(probabilities)
    biased = label_codes(num_classes).biased
    if debiased is not None and not (debiased == biased).any():
        write_label(path, as_label(debiased, num_classes))  # nothing to fill, so nothing to refine
        return
    images, batch, present = (torch.as_tensor(array)[None] for array in (image, probabilities, classes))
    mask = teacher_label(images, batch, present, refine)[0].cpu()
    if debiased is not None:
        mask = complemented_label(torch.from_numpy(debiased), mask, biased)
    write_label(path, as_label(mask.numpy(), num_classes))
