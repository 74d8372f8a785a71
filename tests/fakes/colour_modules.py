"""Modules that see by colour, and a callback that notes what they see and kills the process."""

import os
import signal
import time
from pathlib import Path

import pytorch_lightning as pl
import torch

from mars_pl.segment.inference import SegmentationPrediction


class ColourScores(pl.LightningModule):
    """Scores the classes of an image of the fake tree by their colours, red, green and blue."""

    def __init__(self, pause: float = 0.0):
        super().__init__()
        self.pause = pause

    def predict_step(self, batch, batch_idx):
        time.sleep(self.pause)
        present = batch["classes"][0].nonzero().flatten()
        return {"id": batch["id"][0], "class_ids": present + 1, "scores": batch["image"][0, present] / 255}


class ColourMasks(pl.LightningModule):
    """Takes each colour for the probability of its class; background has what a grey ground lacks."""

    def predict_step(self, batch, batch_idx):
        colours = batch["image"][0] / 255
        return SegmentationPrediction(batch["id"][0], torch.cat([1 - colours.amax(0, keepdim=True), colours]))


class Watch(pl.Callback):
    """Notes every image that is predicted in a file, and kills the process when so many have been."""

    def __init__(self, killed_after: int = -1, note: str = "seen.txt"):
        self.killed_after, self.note = killed_after, note

    def on_predict_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        if batch_idx == self.killed_after:
            os.kill(os.getpid(), signal.SIGKILL)
        with Path(trainer.default_root_dir, self.note).open("a") as file:
            file.writelines(f"{image_id}\n" for image_id in batch["id"])

    def on_predict_epoch_end(self, trainer, pl_module):
        if trainer.predict_loop.batch_progress.current.completed == self.killed_after:
            os.kill(os.getpid(), signal.SIGKILL)
