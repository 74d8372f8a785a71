import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from mars_pl.wsss.cam.classification_module import ClassificationModule
from mars_pl.wsss.image_label_module import ImageLabelModule
from mars_pl.wsss.rsepm.single_stage_module import SingleStageModule
from mars_pl.wsss.seam.seam_module import SEAMModule


class Colours(ImageLabelModule):
    """Tells red from green by their means; nothing to learn."""

    def __init__(self):
        options = {"lr": 0.1, "optimizer": "sgd", "head_factor": 1.0, "momentum": 0.0, "weight_decay": 0.0}
        super().__init__(nn.Linear(2, 2), 3, **options, weights=None)

    def parameter_groups(self):
        return [{"params": list(self.network.parameters())}]

    def class_logits(self, image):
        return image.float().mean((-2, -1))[:, :2]


def sample(name, red, green, *classes):
    image = torch.zeros(3, 4, 4, dtype=torch.uint8)
    image[0], image[1] = red, green
    return {"id": name, "image": image, "classes": torch.tensor(classes).float()}


def test_validation_logs_the_mean_over_classes_of_the_average_precision(tmp_path):
    # red is found at ranks 1 and 3 of three: (1/1 + 2/3) / 2; green at rank 2 of three: 1/2
    samples = [sample("a", 3, 1, 1, 0), sample("b", 2, 3, 0, 0), sample("c", 1, 2, 1, 1)]
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    trainer = pl.Trainer(default_root_dir=tmp_path, **quiet)
    for _ in range(2):  # the second time counts nothing of the first
        trainer.validate(Colours(), DataLoader(samples, batch_size=2), verbose=False)
        found = trainer.callback_metrics["val/mean_average_precision"].item()
        assert found == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 2)


def test_what_classifies_validates_so():
    assert {ClassificationModule, SEAMModule, SingleStageModule} <= set(ImageLabelModule.__subclasses__())
