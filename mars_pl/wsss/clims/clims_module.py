"""Lightning glue of CLIMS: goes on with a trained classifier, whose maps CLIP is to agree with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mars_pl.wsss.cam.classification_module import ClassificationModule
from mars_pl.wsss.cam.classifier import CAMClassifier
from mars_pl.wsss.clims.clip_matcher import CLIPMatcher
from mars_pl.wsss.clims.losses import match_loss, mismatch_loss, suppression_loss

PROMPT = "a photo of {}."


class CLIMSModule(ClassificationModule):
    """Trains maps by what CLIP says of the image inside and outside them; predicts as the classifier does.

    Args:
        network: makes the classifier from the number of classes; its maps are taken through a sigmoid.
        num_classes: including background (linked from the data).
        class_names: background first (linked).
        clip: that judges; loaded for a fit alone.
        words: in place of a class's name in its sentence (CLIMS: player for person).
        companions: what may lie beside objects, a sentence each.
        threshold: of the similarity above which a companion counts as shown.
        match: weight of the inside's likeness to its class.
        mismatch: weight of the outside's unlikeness.
        suppression: weight of companions inside.
        area: weight of the mean of all maps.
        options: see ``ClassificationModule``; ``weights`` are those of a trained classifier.

    Raises:
        ValueError: where ``words`` names no class.
    """

    def __init__(
        self,
        network: Callable[[int], CAMClassifier],
        num_classes: int,
        class_names: Sequence[str],
        clip: CLIPMatcher,
        words: Mapping[str, str] | None = None,
        companions: Sequence[str] = (),
        threshold: float = 0.26,
        match: float = 10.0,
        mismatch: float = 24.0,
        suppression: float = 1.0,
        area: float = 0.2,
        **options: Any,
    ) -> None:
        super().__init__(network, num_classes, **options)
        words = words or {}
        if unknown := [name for name in words if name not in class_names]:
            raise ValueError(f"words: {unknown[0]} is no class of the data; there are {', '.join(class_names[1:])}")
        self.clip = clip
        self.class_sentences = [PROMPT.format(words.get(name, name)) for name in class_names[1:]]
        self.companion_sentences = [PROMPT.format(word) for word in companions]
        self.threshold = threshold
        self.match, self.mismatch, self.suppression, self.area = match, mismatch, suppression, area

    def on_fit_start(self) -> None:
        """Bring CLIP to where the network is; raises ValueError in one line where it is not to be had."""
        self.clip.load(self.device)

    def maps(self, normalised: Tensor) -> Tensor:
        """Return the maps (B, C, h, w) in [0, 1] of normalised images."""
        return self.network.classifier(self.network.features(normalised)).float().sigmoid()

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """The four losses of a batch of crops, by their weights."""
        images = self.network.normalise(batch["image"])
        maps = self.maps(images)
        rows, classes = batch["classes"].nonzero(as_tuple=True)  # a pair for each class of each image
        side = (self.clip.side, self.clip.side)
        inside = _enlarged(maps, side)[rows, classes][:, None]
        pictures = _enlarged(images.float(), side)[rows]
        losses: dict[str, Any] = self._judged(inside, pictures, classes) | {"area": maps.mean()}
        weights = {"match": self.match, "mismatch": self.mismatch, "suppression": self.suppression, "area": self.area}
        loss = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        self.log_training(batch, prog_bar=True, loss=loss)
        self.log_training(batch, **losses)
        return loss

    def _judged(self, inside: Tensor, pictures: Tensor, classes: Tensor) -> dict[str, Tensor]:
        """What CLIP says of N maps (N, 1, S, S), their images (N, 3, S, S) and classes (N,)."""
        if not len(classes):
            nothing = match_loss(inside.flatten())  # 0, and the other processes are waited for
            return {"match": nothing, "mismatch": mismatch_loss(inside.flatten())}
        own = self.clip.sentences(self.class_sentences, self.device)[classes]
        shown = self.clip.pictures(inside * pictures)
        others = self.clip.pictures((1 - inside) * pictures)
        losses = {"match": match_loss((shown * own).sum(dim=1)), "mismatch": mismatch_loss((others * own).sum(dim=1))}
        if self.companion_sentences:
            companions = self.clip.sentences(self.companion_sentences, self.device)
            losses["suppression"] = suppression_loss(shown @ companions.T, self.threshold)
        return losses


def _enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize bilinearly with aligned corners, as CLIMS does."""
    return F.interpolate(maps, size, mode="bilinear", align_corners=True)
