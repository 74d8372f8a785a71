"""What a data set hands over: one dict an item, one dict a batch."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import NotRequired, TypedDict

from torch import Tensor
from torch.utils.data import Dataset


class Sample(TypedDict):
    """One item. Label codes: 0 background, 1…C, biased 254, ignored 255; see `labels.py` for many classes.

    Attributes:
        id: name of the image without its suffix; `<id>@k` for crop k of five.
        image: uint8 3×H×W RGB, not normalised; absent where tokens take its place.
        classes: float32 (C,), 1 where foreground class k+1 is in the image; absent where there are no image labels.
        label: int64 H×W, where a label folder is set.
        initial_label: int64 H×W, the label as it was before a fit corrected it (ADELE).
        truth: int64 H×W, for measuring only: evaluation items whose mask exists.
        valid: bool H×W, False where a training crop was padded; there `label` is ignored.
        class_ids: int64 (K,), label ids of the classes that have scores, where a score folder is set; K may be 0.
        scores: float32 K×H×W in [0, 1], a map for each of them.
        features: float16 D×h×w, of the whole image, where a feature folder is set.
        competing: float32 2×(C+1)×h×w in [0, 1], in place of `label`: means over cells of the maps that a confident
            label is drawn from, with a strong background and with a weak one.
        ood_image: uint8 3×S×S, a crop of a picture that shows none of the classes (W-OoD).
        caption: of the picture, as a person wrote it (CLIP).
        positive_image: a neighbour of `image`, of its size (STEGO).
        tokens: float16 D×h×w, backbone features of the crop (STEGO).
        positive_tokens: those of a neighbour.
        global_crops: uint8 2×3×S×S, large crops of the image in its place (Leopart).
        local_crops: uint8 V×3×s×s, small crops.
        crop_boxes: float32 (2 + V)×4, left, top, right and bottom edges of all crops in pixels of the image.
    """

    id: str
    image: NotRequired[Tensor]
    classes: NotRequired[Tensor]
    label: NotRequired[Tensor]
    initial_label: NotRequired[Tensor]
    truth: NotRequired[Tensor]
    valid: NotRequired[Tensor]
    class_ids: NotRequired[Tensor]
    scores: NotRequired[Tensor]
    features: NotRequired[Tensor]
    competing: NotRequired[Tensor]
    ood_image: NotRequired[Tensor]
    caption: NotRequired[str]
    positive_image: NotRequired[Tensor]
    tokens: NotRequired[Tensor]
    positive_tokens: NotRequired[Tensor]
    global_crops: NotRequired[Tensor]
    local_crops: NotRequired[Tensor]
    crop_boxes: NotRequired[Tensor]


class Batch(TypedDict):
    """Samples put together: every tensor gets a leading dimension B, `id` and `caption` become lists of B."""

    id: list[str]
    image: NotRequired[Tensor]
    classes: NotRequired[Tensor]
    label: NotRequired[Tensor]
    initial_label: NotRequired[Tensor]
    truth: NotRequired[Tensor]
    valid: NotRequired[Tensor]
    class_ids: NotRequired[Tensor]
    scores: NotRequired[Tensor]
    features: NotRequired[Tensor]
    competing: NotRequired[Tensor]
    ood_image: NotRequired[Tensor]
    caption: NotRequired[list[str]]
    positive_image: NotRequired[Tensor]
    tokens: NotRequired[Tensor]
    positive_tokens: NotRequired[Tensor]
    global_crops: NotRequired[Tensor]
    local_crops: NotRequired[Tensor]
    crop_boxes: NotRequired[Tensor]


class Samples(Dataset[Sample], Sized):
    """A data set that knows its length and its items' names before its first item is read.

    Attributes:
        ids: a name an item.
    """

    ids: Sequence[str]
