import json
import threading

import numpy as np
import pytest

from datamodules.coco import COCO
from datamodules.datasets.random_crops import RandomCrops
from datamodules.errors import DataError
from datamodules.files.labels import read_label
from datamodules.prepare import coco
from datamodules.prepare.coco import prepare_coco
from datamodules.prepare.coco_instances import read_instances
from datamodules.prepare.coco_masks import Rule
from tests.fakes.fake_coco import make_coco_tree

TRAIN = [f"COCO_train2014_{number:012d}" for number in range(9, 15)]
VAL = [f"COCO_val2014_{number:012d}" for number in range(15, 18)]


@pytest.fixture
def root(tmp_path):
    make_coco_tree(tmp_path / "coco")
    return tmp_path / "coco"


def data(root, **options):
    module = COCO(str(root), workers=0, batch_size=2, training_set=RandomCrops(32, (32, 48)), **options)
    module.prepare_data()
    return module


def everything(root):
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_the_lists_by_name(root):
    tree = data(root).tree
    assert tree.ids("train") == TRAIN and tree.ids("train_labelled") == TRAIN[:-1]
    assert tree.ids("val") == VAL and tree.ids("val_labelled") == VAL[:-1]
    assert tree.image(VAL[0]) == root / "val2014" / f"{VAL[0]}.jpg"


def test_every_stage_can_read_it(root):
    module = data(root, label_folder="SegmentationClass", fit_split="train_labelled", predict_split="train")
    for stage in ("fit", "validate", "predict"):
        module.setup(stage)
    assert module.num_classes == 81
    samples = {batch["id"][0]: batch for batch in module.predict_dataloader()}
    assert list(samples) == TRAIN
    assert (samples[TRAIN[1]]["classes"][0].nonzero().flatten() + 1).tolist() == [16, 80]
    assert samples[TRAIN[1]]["truth"].unique().tolist() == [0, 16, 80]
    assert samples[TRAIN[-1]]["classes"].sum() == 0 and samples[TRAIN[-1]]["truth"].sum() == 0
    assert next(iter(module.train_dataloader()))["image"].shape == (2, 3, 32, 32)


def test_crowds_count_in_the_image_labels_whatever_the_masks_do(root):
    last = json.loads((root / "annotations/instances_train2014.json").read_text())
    only_crowd = [item for item in last["annotations"] if item["image_id"] != 9 or item["iscrowd"]]
    (root / "annotations/instances_train2014.json").write_text(json.dumps(last | {"annotations": only_crowd}))
    module = data(root, predict_split="train")
    module.setup("predict")
    first = next(iter(module.predict_dataloader()))
    assert first["classes"][0].nonzero().flatten().tolist() == [0]
    assert first["truth"].sum() == 0
    assert TRAIN[0] in module.tree.ids("train_labelled")


def test_a_second_look_writes_nothing_and_another_rule_is_refused(root):
    data(root)
    before = everything(root)
    data(root)
    assert everything(root) == before
    with pytest.raises(DataError, match=r"Class: of another rule \(overlap later, crowd excluded\); remove it"):
        data(root, crowd="included")


def test_masks_by_the_other_rule(root):
    data(root, overlap="smallest", crowd="included")
    label = read_label(root / "SegmentationClass" / f"{TRAIN[0]}.png")
    assert (label[:, -2:] == 1).all()


def test_it_goes_on_where_it_was_broken_off(root, monkeypatch):
    drawn = []
    real = coco.paint

    def paint(*words):
        if len(drawn) == 3:
            raise OSError(28, "No space left on device")
        drawn.append(words)
        return real(*words)

    monkeypatch.setattr(coco, "paint", paint)
    with pytest.raises(DataError, match=r"coco: No space left on device; .* needs space and leave to write"):
        prepare_coco(root, Rule(), workers=1)
    assert not (root / "SegmentationClass").exists()
    kept = everything(root / "SegmentationClass.part")
    assert len(kept) == 1 + 3
    drawn.clear()
    monkeypatch.setattr(coco, "paint", lambda *words: drawn.append(words) or real(*words))
    prepare_coco(root, Rule(), workers=1)
    assert len(drawn) == 9 - 3 and not (root / "SegmentationClass.part").exists()
    monkeypatch.setattr(coco, "paint", None)
    assert all((root / "SegmentationClass" / path.name).read_bytes() == content for path, content in kept.items())


def test_what_another_rule_left_half_made_is_made_anew(root):
    (root / "SegmentationClass.part").mkdir()
    (root / "SegmentationClass.part" / "about.json").write_text('{"overlap": "smallest", "crowd": "excluded"}')
    (root / "SegmentationClass.part" / f"{TRAIN[0]}.png").write_bytes(b"other")
    data(root)
    assert read_label(root / "SegmentationClass" / f"{TRAIN[0]}.png").any()


def test_several_at_once_draw_each_mask_once(root, monkeypatch):
    drawn = []
    real = coco.paint
    monkeypatch.setattr(coco, "paint", lambda *words: drawn.append(words) or real(*words))
    threads = [threading.Thread(target=prepare_coco, args=(root, Rule())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == 9


def test_without_annotations_and_masks_the_lists_still_serve(root):
    data(root)
    for folder in ("annotations", "SegmentationClass"):
        for path in (root / folder).iterdir():
            path.unlink()
        (root / folder).rmdir()
    module = data(root, fit_split="train_labelled")
    module.setup("fit")
    assert len(module.train_dataloader()) == 2


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.unlink(), r"instances_val2014\.json: no such file; unpack COCO's annotations_trainval2014"),
        (
            lambda path: path.write_text(path.read_text()[:-9]),
            r"_val2014\.json: not JSON \(.*\); fetch it again",
        ),
        (lambda path: path.write_text('{"images": []}'), "lacks 'annotations'; it should be COCO's"),
        (lambda path: path.write_text("[]"), "it should be COCO's"),
        (
            lambda path: path.write_text(path.read_text().replace('"category_id": 17', '"category_id": 12')),
            r"annotation 2 of image COCO_val2014_.*\.jpg: category 12 is none of COCO's 80; is it another data set",
        ),
        (
            lambda path: path.write_text(path.read_text().replace('"image_id": 15', '"image_id": 999999', 1)),
            r"annotation 0 is of image 999999, which `images` does not name \(it has 15, …\); take it out, or ",
        ),
        (
            lambda path: path.write_text(path.read_text().replace('"id": 15', '"id": "15"')),
            r"annotation 0 is of image 15, which `images` does not name \(it has '15', …\)",
        ),
        (
            lambda path: path.write_text(path.read_text().replace('"segmentation": [[', '"segmentation": [["x",')),
            r"annotation 0 of image COCO_val2014_.*\.jpg: a polygon that is no list of x, y",
        ),
    ],
)
def test_faults_of_the_annotations_are_one_line(root, spoil, complaint):
    spoil(root / "annotations" / "instances_val2014.json")
    with pytest.raises(DataError, match=complaint) as caught:
        data(root)
    assert "\n" not in str(caught.value)
    assert not (root / "ImageSets").exists()


def test_a_missing_root_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: no such data folder; set data.root"):
        data(tmp_path / "nowhere")


def test_pictures_come_sorted_with_their_annotations_in_order(root):
    path = root / "annotations" / "instances_train2014.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"images": content["images"][::-1]}))
    pictures = read_instances(path)
    assert [picture.image_id for picture in pictures] == TRAIN
    assert [item["category_id"] for item in pictures[1].annotations] == [17, 90]
    assert np.array([picture.class_ids for picture in pictures[:2]], dtype=object).tolist() == [[1], [16, 80]]
