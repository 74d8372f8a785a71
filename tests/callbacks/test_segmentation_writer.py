import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from callbacks import segmentation_writer
from callbacks.segmentation_writer import SegmentationWriter
from datamodules.errors import DataError
from datamodules.files.labels import read_label
from mars_pl.refine.protocol import Refine
from mars_pl.segment.inference import SegmentationPrediction
from mars_pl.segment.sliding_window import SlidingWindow
from tests.fakes.predict_job import predict

# two rows of pixels: class 2 everywhere likeliest, then background or class 1
PROBABILITIES = torch.tensor([[0.3, 0.1], [0.2, 0.4], [0.5, 0.5]])[:, :, None].expand(3, 2, 4).contiguous()
CLASSES = torch.tensor([[1.0, 0.0]])
LABEL = np.array([[254, 254, 0, 1], [254, 1, 255, 0]], dtype=np.uint8)


class LastWins(Refine):
    """Gives every pixel to the last class that takes part."""

    def __call__(self, images, probabilities):
        part = probabilities.flatten(2).any(2).float()
        order = part * torch.arange(1, probabilities.shape[1] + 1)
        return probabilities * 0 + order[:, :, None, None]


def write(tmp_path, label=None, classes=CLASSES, image_id="a", **settings):
    batch = {"id": [image_id], "image": torch.zeros(1, 3, 2, 4, dtype=torch.uint8)}
    if classes is not None:
        batch["classes"] = classes
    if label is not None:
        batch["label"] = torch.from_numpy(label.astype(np.int64))[None]
    seen = {"scales": (1.0, 0.5), "flip": True, "window": SlidingWindow(9), "resampling": "corners"}
    module = SimpleNamespace(predict_with="teacher", **seen)
    items = [(SegmentationPrediction(image_id, PROBABILITIES), batch)]
    predict(SegmentationWriter(**settings), tmp_path, items, module=module)
    return read_label(tmp_path / f"{image_id}.png").tolist()


def test_the_argmax_is_written_with_how_it_was_made(tmp_path):
    assert write(tmp_path, workers=0) == [[2] * 4, [2] * 4]
    views = {"multi_scale": True, "scales": [1.0, 0.5], "flip": True, "window": [9, 6], "resampling": "corners"}
    assert json.loads((tmp_path / "about.json").read_text()) == {"refinement": "none", "network": "teacher", **views}


def test_no_image_labels_are_needed_for_masks_and_folders_are_kept(tmp_path):
    assert write(tmp_path, workers=0, classes=None, image_id="trip/a") == [[2] * 4, [2] * 4]


def test_refined_in_worker_processes(tmp_path):
    assert write(tmp_path, refine=LastWins(), workers=1) == [[2] * 4, [2] * 4]


def test_biased_pixels_alone_are_filled_with_classes_of_the_image(tmp_path):
    assert write(tmp_path, LABEL, workers=0, fill=True) == [[0, 0, 0, 1], [1, 1, 255, 0]]
    assert read_label(tmp_path / "prediction" / "a.png").tolist() == [[2] * 4, [2] * 4]


def test_the_images_classes_share_a_pixel_before_they_are_refined_to_fill(tmp_path):
    seen = []

    def remember(images, probabilities):
        seen.append(probabilities)
        return probabilities

    write(tmp_path, LABEL, refine=remember, workers=0, fill=True)
    write(tmp_path, refine=remember, workers=0)
    filled, mask = seen
    assert filled[0, :, :, 0].T.flatten().tolist() == pytest.approx([3 / 5, 2 / 5, 1 / 5, 4 / 5])
    assert torch.equal(mask[0], PROBABILITIES)


def test_a_label_without_biased_pixels_is_not_refined(tmp_path):
    def refuse(images, probabilities):
        raise AssertionError("refined in vain")

    label = np.where(LABEL == 254, 1, LABEL)
    assert write(tmp_path, label, refine=refuse, workers=0, fill=True) == [[1, 1, 0, 1], [1, 1, 255, 0]]


def test_only_classes_that_compete_are_handed_to_the_workers(tmp_path, monkeypatch):
    handed = []
    monkeypatch.setattr(segmentation_writer, "write_segmentation", lambda *arguments, **_: handed.append(arguments))
    maps = torch.tensor([0.0, 0.0, 0.4, 0.0, 0.6])[:, None, None].expand(5, 2, 4)
    for classes, codes in ((None, [0, 2, 4]), (torch.tensor([[1.0, 0.0, 0.0, 1.0]]), [0, 4])):
        batch = {"id": ["a"], "image": torch.zeros(1, 3, 2, 4, dtype=torch.uint8), "label": torch.full((1, 2, 4), 254)}
        items = [(SegmentationPrediction("a", maps), batch | {"classes": classes})]
        predict(SegmentationWriter(workers=0, fill=classes is not None), tmp_path, items)
        _, _, probabilities, found, num_classes, *_ = handed.pop()
        assert (found.tolist(), num_classes) == (codes, 5) and torch.equal(probabilities, maps[codes])


def test_filling_needs_labels(tmp_path):
    with pytest.raises(DataError, match=r"data\.label_folder"):
        write(tmp_path, workers=0, fill=True)
    with pytest.raises(DataError, match=r"data\.image_labels"):
        write(tmp_path, LABEL, workers=0, fill=True, classes=None)


def test_labels_of_the_next_round_know_the_images_classes_alone(tmp_path):
    assert write(tmp_path, workers=0, image_classes=True) == [[0] * 4, [1] * 4]
    with pytest.raises(DataError, match=r"image_classes: .*data\.image_labels"):
        write(tmp_path, workers=0, image_classes=True, classes=None)


def test_unsure_pixels_of_them_are_ignored(tmp_path):
    # background .3 of .5 and class 1 .4 of .5: shares of .6 and .8 among what the image shows
    assert write(tmp_path, workers=0, image_classes=True, unsure=0.7) == [[255] * 4, [1] * 4]
    assert write(tmp_path, workers=0, image_classes=True, unsure=0.6) == [[0] * 4, [1] * 4]


def test_a_biased_pixel_of_which_the_network_is_unsure_stays_biased(tmp_path):
    # the shares of background above and of class 1 below, as in the test before
    assert write(tmp_path, LABEL, workers=0, fill=True, unsure=0.7) == [[254, 254, 0, 1], [1, 1, 255, 0]]
    assert write(tmp_path, LABEL, workers=0, fill=True, unsure=0.6) == [[0, 0, 0, 1], [1, 1, 255, 0]]


def test_what_a_class_has_all_but_lost_of_its_label_is_ignored(tmp_path):
    label = np.array([[1, 1, 1, 1], [254, 1, 255, 0]], dtype=np.uint8)
    settings = {"workers": 0, "image_classes": True}
    # class 1 has 4 pixels where the label has 5
    assert write(tmp_path, label, least_share=0.9, **settings) == [[255] * 4, [1] * 4]
    assert write(tmp_path, label, least_share=0.8, **settings) == [[0] * 4, [1] * 4]
    with pytest.raises(DataError, match=r"least_share: .*data\.label_folder"):
        write(tmp_path, least_share=0.9, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"unsure": 1.0},
        {"unsure": -0.1},
        {"least_share": 1.1},
        {"least_share": -0.1},
        {"fill": True, "image_classes": True},
        {"fill": True, "least_share": 0.5},
    ],
)
def test_settings_that_mean_nothing_are_refused(settings):
    with pytest.raises(ValueError, match=r"unsure|least_share|fill"):
        SegmentationWriter(**settings)
