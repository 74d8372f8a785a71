"""Six tiny images in which colour is meaning: each equation can be followed by hand.

24 × 32 pixels on blue ground. "red" images show class 1, a red object (columns 4–11) beside its green companion
(columns 12–19), and the label takes both; "white" images show class 2 and have the companion in the background.
"""

from __future__ import annotations

import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn.functional import avg_pool2d
from torch.utils.data import DataLoader

from tests.fakes.quiet_trainer import quiet_trainer

RED, GREEN, BLUE, WHITE = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
OBJECT, COMPANION = (slice(8, 16), slice(4, 12)), (slice(8, 16), slice(12, 20))


class ColourFeatures(nn.Module):
    """The mean colour of each 4 × 4 cell, as a feature of three channels."""

    def forward(self, image):
        return avg_pool2d(image.float(), 4)


def coloured_image(kind: str, image_id: str, truth: bool) -> dict:
    image = torch.zeros(3, 24, 32, dtype=torch.uint8)
    image[2] = 255
    label, target = torch.zeros(24, 32, dtype=torch.long), torch.zeros(24, 32, dtype=torch.long)
    index = 1 if kind == "red" else 2
    for place, colour in ((OBJECT, RED if index == 1 else WHITE), (COMPANION, GREEN)):
        image[(slice(None), *place)] = torch.tensor(colour, dtype=torch.uint8)[:, None, None]
    label[OBJECT], target[OBJECT] = index, index
    if index == 1:
        label[COMPANION] = 1
    label[0, 0] = 255
    classes = torch.tensor([float(index == 1), float(index == 2), 0.0])
    return {"id": image_id, "image": image, "classes": classes, "label": label} | ({"truth": target} if truth else {})


class Colours(pl.LightningDataModule):
    """Four "red" and two "white" images of four classes, "nobody" being in none."""

    num_classes, ignore_index, biased_index = 4, 255, 254
    class_names = ("background", "red", "white", "nobody")
    predict_split = "train_aug"

    def __init__(self, truth: bool = True, kinds: str = "rwrrwr"):
        super().__init__()
        names = {"r": "red", "w": "white"}
        self.items = [coloured_image(names[kind], f"im{9 - place}", truth) for place, kind in enumerate(kinds)]

    def predict_dataloader(self):
        return DataLoader(self.items, batch_size=1)


def predict(module, writer, data):
    return quiet_trainer(callbacks=[writer]).predict(module, datamodule=data)
