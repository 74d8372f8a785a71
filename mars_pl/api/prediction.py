"""Masks of images by a segmentation network, as `mars predict` makes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

import torch
from torch import Tensor, nn

from mars_pl.debias.given_image import Array, image_tensor
from mars_pl.refine.protocol import Refine
from mars_pl.segment.inference import (
    FLIP,
    LEAST_PROBABILITY,
    SCALES,
    Average,
    Resampling,
    competing,
    drop_improbable,
    multi_scale_probabilities,
)
from mars_pl.segment.sliding_window import SlidingWindow, slide


@torch.no_grad()
def predict(
    images: Iterable[tuple[str, Array]],
    network: nn.Module,
    *,
    scales: Sequence[float] = SCALES,
    flip: bool = FLIP,
    average: Average = "probabilities",
    resampling: Resampling = "centres",
    least_probability: float = LEAST_PROBABILITY,
    window: SlidingWindow | None = None,
    refine: Refine | None = None,
) -> Iterator[tuple[str, Array]]:
    """Yield (id, mask) of each image: the class of each pixel by a segmentation network, as `mars predict` writes it.

    Args:
        images: (id, image), uint8 RGB (3, H, W) or (H, W, 3); read as the iterator goes.
        network: in evaluation mode; maps uint8 (1, 3, H, W) to logits (1, K, h, w). `mars_pl.fitted.read_segmenter`
            makes that of a finished fit, with its views.
        scales: of the views whose probabilities are averaged.
        flip: add their mirror images.
        average: see `mars_pl.segment.inference.Average`.
        resampling: likewise.
        least_probability: a class that is nowhere this probable takes no part in refinement.
        window: see large images by overlapping windows.
        refine: see ``mars_pl.api.debias``; None takes the argmax.

    Raises:
        ValueError: in one line, where an image is not as above, or the network is in training mode.
    """
    if network.training:
        raise ValueError("network: in training mode, in which batch norm and dropout act; call .eval()")
    first = next(chain(network.parameters(), network.buffers()), None)
    view = partial(multi_scale_probabilities, network, scales=scales, flip=flip, average=average, resampling=resampling)
    for image_id, image in images:
        batch = image_tensor(image_id, image)[None].to("cpu" if first is None else first.device)
        maps = drop_improbable(slide(view, batch, window) if window else view(batch), least_probability)[0]
        codes = competing(maps, None)
        refined = maps[codes][None] if refine is None else refine(batch, maps[codes][None])
        mask = codes[refined[0].max(dim=0).indices].to(torch.uint8 if len(maps) <= 256 else torch.int32)
        yield image_id, mask if isinstance(image, Tensor) else mask.cpu().numpy()
