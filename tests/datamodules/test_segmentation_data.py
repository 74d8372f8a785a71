import json
import logging

import numpy as np
import pytest
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from datamodules.datasets import samplers
from datamodules.datasets.random_crops import RandomCrops
from datamodules.errors import DataError
from datamodules.files.labels import read_label, write_label
from datamodules.files.scores import write_scores
from datamodules.segmentation_data import SegmentationData
from tests.datamodules.small_data import NAMES, Recorder, data, trainer
from tests.fakes.fake_tree import make_voc_tree


@pytest.fixture
def root(tmp_path):
    make_voc_tree(tmp_path / "voc", 12, pseudo="Pseudo")
    return tmp_path / "voc"


def test_what_is_linked():
    module = SegmentationData("nowhere", NAMES, scored_classes=["background", "bird"])
    assert (module.num_classes, module.ignore_index, module.biased_index) == (4, 255, 254)
    assert module.class_names == tuple(NAMES)
    assert module.scored_class_ids == [0, 3]
    assert SegmentationData("nowhere", NAMES).scored_class_ids is None
    assert SegmentationData("nowhere", NAMES, training_set=RandomCrops(64)).crop_size == 64


ODD_NAMES = [["cat", "dog"], ["background"], [], ["background", "a", "a"], ["background", *map(str, range(65534))]]


@pytest.mark.parametrize("names", ODD_NAMES)
def test_odd_class_names_are_refused(names):
    with pytest.raises(DataError, match=r"data\.class_names"):
        SegmentationData("nowhere", names)


def test_an_unknown_scored_class_is_told():
    with pytest.raises(DataError, match="unicorn is none of background"):
        _ = SegmentationData("nowhere", NAMES, scored_classes=["unicorn"]).scored_class_ids


def test_training_batches(root):
    module = data(root, label_folder="Pseudo")
    module.setup("fit")
    batches = list(module.train_dataloader())
    assert len(batches) == 2, "9 images, the ninth is left out of this epoch"
    batch = batches[0]
    assert batch.keys() == {"id", "image", "classes", "label", "valid"}
    assert isinstance(batch["id"], list)
    assert batch["image"].shape == (4, 3, 32, 32)
    assert batch["classes"].shape == (4, 3)
    assert batch["label"].shape == batch["valid"].shape == (4, 32, 32)
    assert (batch["label"][~batch["valid"]] == 255).all()


def test_whole_images_to_validate_and_predict(root):
    module = data(root, label_folder="Pseudo", predict_split="all")
    module.setup("fit")
    module.setup("predict")
    validated, predicted = list(module.val_dataloader()), list(module.predict_dataloader())
    assert [batch["id"][0] for batch in validated] == module.tree.ids("val")
    assert [batch["id"][0] for batch in predicted] == module.tree.ids("all")
    assert validated[0].keys() == {"id", "image", "classes", "truth", "valid"}
    assert predicted[0].keys() == {"id", "image", "classes", "label", "truth", "valid"}


def test_scores_come_with_whole_images_to_predict_and_never_with_crops(root, tmp_path):
    ids = data(root).tree.ids("train_aug")
    (tmp_path / "scores").mkdir()
    for image_id in ids:
        shape = read_label(root / "Pseudo" / f"{image_id}.png").shape
        write_scores(tmp_path / "scores" / f"{image_id}.npz", np.array([2]), np.full((1, *shape), 0.5, np.float32))
    module = data(root, label_folder="Pseudo", score_folder=str(tmp_path / "scores"))
    module.setup("predict")
    batch = next(iter(module.predict_dataloader()))
    assert batch["class_ids"].tolist() == [[2]]
    assert batch["scores"].dtype == torch.float32 and batch["scores"].shape[1:] == (1, *batch["image"].shape[-2:])
    module.setup("fit")
    assert not {"scores", "class_ids"} & next(iter(module.train_dataloader())).keys()
    assert not {"scores", "class_ids"} & next(iter(module.val_dataloader())).keys()


def test_missing_scores_show_before_a_job_begins(root, tmp_path):
    with pytest.raises(DataError, match="absent: no such score folder"):
        data(root, score_folder="absent").setup("predict")
    (tmp_path / "scores").mkdir()
    with pytest.raises(DataError, match=r"2007_000001\.npz: no such score file; .* \(8 more like it\)"):
        data(root, score_folder=str(tmp_path / "scores")).setup("predict")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_fit_broken_off_and_resumed_sees_what_one_fit_sees(root, tmp_path, workers):
    def fit(epochs, folder, ckpt_path=None):
        recorder = Recorder()
        keep = ModelCheckpoint(tmp_path / folder, filename="last", save_on_train_epoch_end=True)
        crops = RandomCrops(32, (30, 60), colour_jitter=(0.3, 0.3, 0.3, 0.1))
        module = data(root, workers=workers, training_set=crops)
        trainer(tmp_path, max_epochs=epochs, callbacks=[keep]).fit(recorder, module, ckpt_path=ckpt_path)
        return recorder

    whole, first = fit(3, "whole"), fit(1, "parts")
    torch.rand(11)
    second = fit(3, "parts", tmp_path / "parts" / "last.ckpt")
    assert [epoch for epoch, _ in second.seen] == [1, 1, 2, 2]
    assert first.seen + second.seen == whole.seen
    assert first.sums + second.sums == whole.sums
    assert whole.seen[0][1] != whole.seen[2][1] != whole.seen[4][1]


def test_lightning_validates_and_predicts_each_image_once(root, tmp_path):
    module, recorder = data(root), Recorder()
    trainer(tmp_path).validate(recorder, module, verbose=False)
    trainer(tmp_path).predict(recorder, module, return_predictions=False)
    assert recorder.validated == module.tree.ids("val")
    assert recorder.predicted == module.tree.ids("train_aug")


def test_a_stage_that_does_not_validate_needs_no_val_list(root, tmp_path):
    (root / "ImageSets" / "Segmentation" / "val.txt").unlink()
    trainer(tmp_path, max_epochs=1, limit_val_batches=0, enable_checkpointing=False).fit(Recorder(), data(root))
    trainer(tmp_path, max_epochs=1, enable_checkpointing=False).fit(Recorder(), data(root, validate_split=None))
    with pytest.raises(DataError, match=r"val\.txt: no such list"):
        trainer(tmp_path, max_epochs=1).fit(Recorder(), data(root))
    with pytest.raises(DataError, match="no list to evaluate"):
        data(root, validate_split=None).setup("validate")


def test_the_limit_is_said(root, caplog, monkeypatch):
    module = data(root, limit=5)
    with caplog.at_level(logging.INFO):
        module.setup("predict")
    assert [batch["id"][0] for batch in module.predict_dataloader()] == module.tree.ids("train_aug")[:5]
    assert "the first 5 of 9 images" in caplog.text


def test_truth_taken_away_changes_nothing_else(root):
    def samples():
        module = data(root, label_folder="Pseudo")
        module.setup("fit")
        module.setup("predict")
        return [*module.train_dataloader(), *module.predict_dataloader()]

    before = samples()
    for mask in (root / "SegmentationClass").iterdir():
        mask.unlink()
    (root / "SegmentationClass").rmdir()
    for one, other in zip(before, samples(), strict=True):
        assert "truth" not in other
        for key in other:
            assert one[key] == other[key] if key == "id" else torch.equal(one[key], other[key])


def test_faults_show_before_a_fit_begins(root, tmp_path, monkeypatch):
    with pytest.raises(DataError, match="a batch of 10 is more than 9 images"):
        data(root, batch_size=10).setup("fit")
    with pytest.raises(DataError, match=r"absent: no such label folder"):
        data(root, label_folder="absent").setup("fit")
    with pytest.raises(DataError, match=r"no such data folder"):
        data(tmp_path / "absent").setup("predict")
    (root / "Annotations" / "2007_000002.xml").unlink()
    with pytest.raises(DataError, match="no image label for 2007_000002"):
        data(root).setup("fit")
    data(root, image_labels="none").setup("fit")
    monkeypatch.setattr(samplers, "processes", lambda: (0, 16))
    with pytest.raises(DataError, match="9 images for 16 processes"):
        data(root, image_labels="none").setup("predict")


def test_files_are_looked_over_once(root, monkeypatch):
    module = data(root)
    module.setup("validate")
    (root / "JPEGImages" / "2007_000010.jpg").unlink()
    module.setup("validate")
    with pytest.raises(DataError, match="no such image"):
        data(root).setup("validate")


def with_names(root, table):
    """Let image_labels.json say what the images show, in place of the XML files."""
    (root / "image_labels.json").write_text(json.dumps(table))


def test_no_image_that_shows_a_class_is_refused_in_a_fit_and_nowhere_else(root):
    ids = data(root).tree.ids("all")
    with_names(root, {image_id: [] for image_id in ids})
    with pytest.raises(DataError, match="train_aug: the image labels of 9 images name no class, so there is nothing"):
        data(root).setup("fit")
    for stage in ("validate", "predict"):
        data(root).setup(stage)
    with pytest.warns(UserWarning, match="name no class; what is learnt comes from the label files alone"):
        data(root, label_folder="Pseudo").setup("fit")


def test_a_class_that_no_image_of_a_fit_shows_is_named(root, recwarn):
    with_names(root, {image_id: ["bird"] for image_id in data(root).tree.ids("all")})
    with pytest.warns(
        UserWarning, match="train_aug: no image shows aeroplane, bicycle; nothing can be learnt of these"
    ):
        data(root).setup("fit")
    recwarn.clear()
    data(root, scored_classes=["background", "bird"], truth_folder=None).setup("fit")
    assert not recwarn.list, "the others are not asked about"


def test_labels_that_contradict_the_image_labels_are_warned_of_with_their_share(root, recwarn):
    ids = data(root).tree.ids("train_aug")
    data(root, label_folder="Pseudo").setup("fit")
    assert not recwarn.list
    for image_id in ids[:3]:  # of classes 1, 2, and 1 and 3
        label = read_label(root / "Pseudo" / f"{image_id}.png")
        write_label(root / "Pseudo" / f"{image_id}.png", np.array([0, 2, 3, 1])[label])
    words = (
        r"class that the image label denies: 33% of 9 images; .*Pseudo/2007_000001\.png: holds bicycle, its image label"
    )
    with pytest.warns(UserWarning, match=words):
        data(root, label_folder="Pseudo").setup("fit")


def test_masks_of_255_in_place_of_1_are_warned_of_before_the_first_step(root):
    for image_id in data(root).tree.ids("val"):
        path = root / "SegmentationClass" / f"{image_id}.png"
        write_label(path, (read_label(path) > 0) * 255)
    with pytest.warns(UserWarning, match="mask of 255 in place of classes: 100% of 3 images"):
        data(root).setup("fit")


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_of_nothing_is_told(root, limit):
    with pytest.raises(DataError, match=rf"data\.limit: {limit}; take 1 image or more, or leave it out"):
        data(root, limit=limit)
