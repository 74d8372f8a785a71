import json

import pytest
import torch

from callbacks.pseudo_label_writer import PseudoLabelWriter
from datamodules.files.labels import read_label
from tests.fakes.predict_job import predict

SCORES = torch.tensor([[[0.9, 0.35, 0.1, 0.0]], [[0.1, 0.1, 0.45, 0.0]]])


def write(tmp_path, truth=True, images=2, **settings):
    writer = PseudoLabelWriter(workers=0, **settings)
    items = []
    for index in range(images):
        batch = {"id": [f"im{index}"], "image": torch.zeros(1, 3, 1, 4, dtype=torch.uint8)}
        if truth:
            batch["truth"] = torch.tensor([[[1, 1, 0, 0]]])
        items.append(({"id": f"im{index}", "class_ids": torch.tensor([1, 3]), "scores": SCORES}, batch))
    predict(writer, tmp_path, items)
    return tmp_path


def test_a_folder_for_each_background_score(tmp_path):
    write(tmp_path, background_scores={"mars": 0.3, "baseline": 0.4})
    assert read_label(tmp_path / "mars" / "im0.png").tolist() == [[1, 1, 3, 0]]
    assert read_label(tmp_path / "baseline" / "im1.png").tolist() == [[1, 0, 3, 0]]
    about = json.loads((tmp_path / "baseline" / "about.json").read_text())
    assert about == {"refinement": "none", "note": "background score 0.4"}


def test_the_sweep_counts_against_the_truth_by_hand(tmp_path, capsys):
    write(tmp_path, background_scores={"mars": 0.3}, sweep=[0.3, 0.5], split="train")
    sweep = json.loads((tmp_path / "sweep.json").read_text())
    assert (sweep["split"], sweep["images"], sweep["refinement"]) == ("train", 2, "none")
    low, high = sweep["scores"]
    # at .3 the labels are 1 1 3 0: background 1/2, class 1 whole, class 3 false
    assert low["miou"] == pytest.approx((0.5 + 1 + 0) / 3)
    assert low["fp"] == pytest.approx((0 + 1) / 2)
    # at .5 they are 1 0 0 0: background 2/3, class 1 half missed
    assert high["miou"] == pytest.approx((2 / 3 + 0.5) / 2)
    assert high["fn"] == pytest.approx(0.5)
    assert "train (2 images, refinement none)" in " ".join(capsys.readouterr().out.split())


def test_only_the_first_images_are_swept(tmp_path):
    write(tmp_path, background_scores={"mars": 0.3}, sweep=[0.3], sweep_images=1)
    assert json.loads((tmp_path / "sweep.json").read_text())["images"] == 1


def test_without_truth_the_same_labels_and_no_sweep(tmp_path):
    there = write(tmp_path / "there", background_scores={"mars": 0.3}, sweep=[0.3])
    away = write(tmp_path / "away", truth=False, background_scores={"mars": 0.3}, sweep=[0.3])
    assert (there / "mars" / "im0.png").read_bytes() == (away / "mars" / "im0.png").read_bytes()
    assert not (away / "sweep.json").exists()
