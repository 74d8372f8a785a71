import json

import numpy as np
import pytest
import torch

from callbacks.score_writer import ScoreWriter
from datamodules.files.labels import read_label
from datamodules.files.scores import read_scores
from mars_pl.refine.dense_crf import DenseCRF
from mars_pl.wsss.propagation.confident_label import ConfidentLabels, ThresholdConfidentLabels, winners
from mars_pl.wsss.seam.confident_labels import BackgroundPowerLabels
from tests.fakes.predict_job import Data, predict

SCORES = torch.tensor([[[0.9, 0.2, 0.0, 0.0]], [[0.1, 0.1, 0.5, 0.0]]])


def write(folder, confident, workers=0, scores=SCORES, class_ids=(1, 3), num_classes=21, **settings):
    items = [
        (
            {"id": f"im{index}", "class_ids": torch.tensor(class_ids, dtype=torch.long), "scores": scores},
            {"id": [f"im{index}"], "image": torch.zeros(1, 3, 1, 4, dtype=torch.uint8)},
        )
        for index in range(3)
    ]
    predict(ScoreWriter(confident, workers=workers, **settings), folder, items, Data(num_classes))
    return folder


@pytest.mark.parametrize("workers", [0, 1])
def test_scores_and_confident_labels_of_every_image(tmp_path, workers):
    write(tmp_path, ThresholdConfidentLabels(), workers)
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["im0.npz", "im1.npz", "im2.npz"]
    class_ids, scores = read_scores(tmp_path / "im2.npz")
    assert class_ids.tolist() == [1, 3] and torch.equal(scores, SCORES.half().float())
    assert read_label(tmp_path / "confident" / "im1.png").tolist() == [[1, 255, 3, 0]]
    about = json.loads((tmp_path / "confident" / "about.json").read_text())
    assert about == {"refinement": "none", "note": "confident labels by ThresholdConfidentLabels; 255 is unsure"}


def test_classes_called_as_the_marks_of_eight_bits_are_no_marks(tmp_path):
    write(tmp_path, ThresholdConfidentLabels(), class_ids=(255, 300), num_classes=301)
    assert read_label(tmp_path / "confident" / "im1.png", 301).tolist() == [[255, 65535, 300, 0]]


def test_an_image_of_one_class_keeps_its_number(tmp_path):
    write(tmp_path, ThresholdConfidentLabels(), scores=SCORES[:1], class_ids=(7,))
    assert read_label(tmp_path / "confident" / "im0.png").tolist() == [[7, 255, 0, 0]]


def test_the_refinement_is_recorded(tmp_path):
    write(tmp_path, ThresholdConfidentLabels(refine=DenseCRF("irn-label")))
    assert json.loads((tmp_path / "confident" / "about.json").read_text())["refinement"] == "crf"


def test_scores_alone(tmp_path):
    write(tmp_path, None, output="deeper/maps")
    assert sorted(path.name for path in (tmp_path / "deeper" / "maps").iterdir()) == ["im0.npz", "im1.npz", "im2.npz"]


class EverythingUnsure(ConfidentLabels):
    def __call__(self, image, scores, class_ids):
        return torch.full(image.shape[-2:], 255)


def test_another_way_to_be_confident_is_injected(tmp_path):
    write(tmp_path, EverythingUnsure())
    assert np.unique(read_label(tmp_path / "confident" / "im0.png")).tolist() == [255]
    assert "EverythingUnsure" in (tmp_path / "confident" / "about.json").read_text()


def test_an_image_without_classes_is_background_and_half_precision_is_taken(tmp_path):
    write(tmp_path, ThresholdConfidentLabels(), scores=torch.zeros(0, 1, 4, dtype=torch.bfloat16), class_ids=())
    assert read_scores(tmp_path / "im0.npz")[1].shape == (0, 1, 4)
    assert read_label(tmp_path / "confident" / "im0.png").tolist() == [[0, 0, 0, 0]]


class Failing(ConfidentLabels):
    def __call__(self, image, scores, class_ids):
        raise ValueError("no label for this one")


def test_a_fault_in_a_worker_ends_the_run(tmp_path):
    with pytest.raises(ValueError, match="no label for this one"):
        write(tmp_path, Failing(), workers=1)


@pytest.mark.parametrize("workers", [0, 1])
def test_maps_that_compete_lie_beside_the_label_that_is_theirs(tmp_path, workers):
    write(tmp_path, BackgroundPowerLabels(), workers)
    class_ids, maps = read_scores(tmp_path / "confident/im1.npz")
    assert class_ids.tolist() == [0, 1, 3, 0, 1, 3] and maps.shape == (6, 1, 4)
    strong, weak = (1 - SCORES.amax(0)) ** 4, (1 - SCORES.amax(0)) ** 24
    expected = torch.stack([strong, *SCORES, weak, *SCORES])
    assert torch.equal(maps, (expected * 256).round() / 256)
    label = read_label(tmp_path / "confident/im1.png")
    assert label.tolist() == [[1, 255, 3, 0]]
    assert winners(maps.unflatten(0, (2, 3)), unsure=255).tolist() == [[1, 255, 2, 0]], "the maps' own numbers"


def test_maps_of_an_image_without_classes_are_background(tmp_path):
    write(tmp_path, BackgroundPowerLabels(), scores=torch.zeros(0, 1, 4), class_ids=())
    class_ids, maps = read_scores(tmp_path / "confident/im0.npz")
    assert class_ids.tolist() == [0, 0] and (maps == 1).all()
    assert read_label(tmp_path / "confident/im0.png").tolist() == [[0, 0, 0, 0]]
