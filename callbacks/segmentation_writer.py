"""A segmentation network's masks as files, or complemented labels Yᶜᵒ (predict jobs of the last stage)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from callbacks.writing.image_writer import ImageWriter
from callbacks.writing.journal import AllDone
from callbacks.writing.output_folder import refinement_name, write_about
from callbacks.writing.segmentation_file import write_segmentation
from datamodules.errors import DataError
from datamodules.files.labels import as_label, write_label
from mars_pl.refine.protocol import Refine
from mars_pl.segment.inference import SegmentationPrediction, competing

PREDICTION = "prediction"
"""Sub-folder of the bare predictions beside complemented labels."""


class SegmentationWriter(ImageWriter[None]):
    """Writes the argmax of each prediction, refined, as ``<image id>.png``.

    Args:
        refine: R; ``None`` writes the bare argmax.
        fill: write the data's debiased labels Yᵈᵇ instead, their biased pixels filled with the prediction among the
            image's classes; the bare prediction over all classes goes to the sub-folder ``prediction``, for looking at.
        image_classes: write masks of background and the image's classes alone, labels for another fit.
        unsure: pixels whose refined highest probability is below this are ignored in such labels, and stay biased where
            labels are filled, so that only what the network is sure of is given back; 0 takes every one.
        least_share: where a class covers less than this share of its area in the data's labels, from which the network
            learnt, the rest of that area is ignored in such labels; 0 ignores none.
        options: output, workers, resume and shards; see ``ImageWriter``.
    """

    def __init__(
        self,
        refine: Refine | None = None,
        fill: bool = False,
        image_classes: bool = False,
        unsure: float = 0.0,
        least_share: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not 0 <= unsure < 1:
            raise ValueError(f"unsure: a probability in [0, 1), not {unsure}")
        if not 0 <= least_share <= 1:
            raise ValueError(f"least_share: a share of an area in [0, 1], not {least_share}")
        if fill and (image_classes or least_share):
            raise ValueError("fill: is of the image's classes anyway; leave image_classes and least_share out")
        self.refine, self.fill, self.image_classes = refine, fill, image_classes
        self.unsure, self.least_share = unsure, least_share

    def image_files(self) -> Sequence[str]:
        """Return the mask, and the bare prediction where labels are filled."""
        return ["{id}.png", *([f"{PREDICTION}/{{id}}.png"] if self.fill else [])]

    def image_call(self, prediction: SegmentationPrediction, batch: dict[str, Any], place: int) -> partial[None]:
        """Write one mask, or fill one label.

        Raises:
            DataError: where there is nothing to fill or to hold masks against, or no image labels.
        """
        if self.fill and not {"label", "classes"} <= batch.keys():
            raise DataError(
                "fill: the data has no labels to fill, or no image labels; set data.label_folder to the folder of "
                "debiased labels and data.image_labels to where the classes stand"
            )
        if self.image_classes and "classes" not in batch:
            raise DataError(
                "image_classes: the data has no image labels; set data.image_labels to where the classes stand"
            )
        if self.least_share and "label" not in batch:
            raise DataError(
                "least_share: the data has no labels to hold masks against; set data.label_folder to the folder that "
                "the network learnt from"
            )
        own = batch["classes"][0] if self.fill or self.image_classes else None
        classes = competing(prediction.probabilities, own)
        tensors = [batch["image"][0], prediction.probabilities[classes], classes]
        image, probabilities, codes = (tensor if self.workers == 0 else tensor.cpu().numpy() for tensor in tensors)
        label = batch["label"][0].cpu().numpy() if self.fill or self.least_share else None
        num_classes = len(prediction.probabilities)
        if self.fill:
            mask = as_label(prediction.probabilities.argmax(0).cpu().numpy(), num_classes)
            write_label(self.folder / PREDICTION / f"{prediction.id}.png", mask)
        path = self.folder / f"{prediction.id}.png"
        written = partial(write_segmentation, path, image, probabilities, codes, num_classes)
        settings = {"fill": self.fill, "unsure": self.unsure, "least_share": self.least_share}
        return partial(written, label, self.refine, shared=own is not None, **settings)

    def write_end(self, done: AllDone[None], pl_module: Any) -> None:
        """Say how the masks were made."""
        write_about(
            self.folder,
            refinement=refinement_name(self.refine),
            network=getattr(pl_module, "predict_with", None),
            **views(pl_module),
        )


def views(module: Any) -> dict[str, Any]:
    """Return how a module looks at an image, for `about.json`; of windows their side and stride."""
    scales, window = tuple(getattr(module, "scales", ())), getattr(module, "window", None)
    return {
        "multi_scale": len(scales) > 1,
        "scales": scales or None,
        "flip": getattr(module, "flip", None),
        "window": window and (window.side, window.step),
        "resampling": getattr(module, "resampling", None),
    }
