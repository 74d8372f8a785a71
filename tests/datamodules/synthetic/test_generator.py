import hashlib
from itertools import count
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from datamodules.errors import DataError
from datamodules.files.class_names import CLASS_NAMES
from datamodules.files.labels import read_label
from datamodules.synthetic import generator
from datamodules.synthetic.canvas import HEIGHT, WIDTH, Brush, Canvas
from datamodules.synthetic.chance import Chance, mix
from datamodules.synthetic.companions import FIRST, WORLDS
from datamodules.synthetic.generator import VAL_FROM, render, render_outside, write_outside, write_scenes

NAMES = CLASS_NAMES["scenes"]
PIXELS = {
    0: "62d6b837edefdb3c2a196d9547bbfd95dc3431f877f57596310952689c699371",
    1: "fc4b6d029b8e3b44ed5b0901f058499fbfdbb8f971bf826957624efab6902e49",
}


@pytest.fixture(scope="module")
def scenes():
    return [render(0, index) for index in range(200)]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_arrays_of_a_seed_are_the_same_everywhere(seed):
    digest = hashlib.sha256()
    for index in (0, 1, 2, 3, 4, 5, 6, 77, VAL_FROM):
        scene = render(seed, index)
        for array in (scene.image, scene.label, scene.companion):
            digest.update(array.tobytes())
    assert digest.hexdigest() == PIXELS[seed]


def test_split_mix_gives_the_published_first_word():
    # The first output of SplitMix64 started at 0, as every reference implementation prints it.
    assert mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF


def test_the_array_of_draws_is_the_scalar_stream():
    # The array starts its own stream at the drawn word; its top bytes are those of the scalar mixer.
    start = Chance(3).word()
    golden = 0x9E3779B97F4A7C15
    expected = [mix(start + golden * place) >> 56 for place in range(1, 7)]
    assert Chance(3).bytes(2, 3).ravel().tolist() == expected


def test_a_draw_stays_within_its_bounds_and_reaches_both():
    chance = Chance(7)
    assert {chance.between(-1, 2) for _ in range(200)} == {-1, 0, 1, 2}


def test_a_polygon_covers_its_area_and_mirrors():
    areas = []
    for flipped in (False, True):
        canvas = Canvas()
        brush = Brush(canvas, 0, 0, 400, 200, code=3, flipped=flipped)
        brush.polygon([(0, 0), (1000, 0), (0, 1000)], (10, 20, 30))
        assert canvas.regions[20, 380 if flipped else 20] == 3
        assert canvas.regions[180, 20 if flipped else 380] == 0
        areas.append(int((canvas.regions == 3).sum()))
    assert areas == [pytest.approx(40_000, rel=0.01)] * 2


def test_a_pixel_takes_the_commonest_code_and_the_mean_colour():
    canvas = Canvas()
    canvas.regions[:4, :4] = 2
    canvas.regions[:4, :1] = 128 + 2
    canvas.colours[:4, :2] = 100
    image, label, companion = canvas.finish(Chance(0), grain=0)
    assert label[0, 0] == 2 and companion[0, 0] == 0 and label.sum() == 2
    assert image[0, 0].tolist() == [50, 50, 50]


def test_shapes_types_and_codes(scenes):
    for scene in scenes[:20]:
        assert scene.image.shape == (HEIGHT, WIDTH, 3)
        assert scene.label.shape == scene.companion.shape == (HEIGHT, WIDTH)
        assert {array.dtype for array in (scene.image, scene.label, scene.companion)} == {np.dtype(np.uint8)}
        assert scene.label.max() < len(NAMES)
        assert scene.classes == tuple(sorted(set(scene.label.ravel().tolist()) - {0}))
        assert {NAMES[code] for code in np.unique(scene.companion) if code} <= set(FIRST)


def test_a_companion_is_never_where_an_object_is(scenes):
    assert all(not (scene.label[scene.companion > 0]).any() for scene in scenes)


def test_classes_are_equally_common_and_a_quarter_of_the_pictures_shows_two(scenes):
    assert {len(scene.classes) for scene in scenes} == {1, 2}
    assert 0.17 < np.mean([len(scene.classes) == 2 for scene in scenes]) < 0.33
    shown = [sum(code in scene.classes for scene in scenes) for code in range(1, len(NAMES))]
    assert min(shown) >= 28 and max(shown) <= 46


@pytest.mark.parametrize("name", sorted(FIRST))
def test_a_companion_is_mostly_with_its_class_and_sometimes_elsewhere(scenes, name):
    code = NAMES.index(name)
    own = [scene for scene in scenes if code in scene.classes]
    with_object = [(scene.companion == code).sum() / (scene.label == code).sum() for scene in own]
    elsewhere = [(scene.companion == code).any() for scene in scenes if code not in scene.classes]
    assert 0.78 < np.mean([ratio > 0.1 for ratio in with_object]) < 0.99
    assert 0.05 < np.mean(elsewhere) < 0.20
    assert 0.5 < np.median([ratio for ratio in with_object if ratio > 0.1]) < 2


@pytest.mark.slow
def test_in_the_second_world_other_classes_have_companions_as_often(scenes):
    others = [render(0, index, WORLDS["second"]) for index in range(200)]
    assert [scene.classes for scene in others] == [scene.classes for scene in scenes], "the deck is the same"
    for name in NAMES[1:]:
        code = NAMES.index(name)
        beside = np.mean([(scene.companion == code).any() for scene in others if code in scene.classes])
        assert 0.78 < beside < 0.99 if name in WORLDS["second"] else beside == 0
    shares = [np.mean(scene.label == code) for scene in others for code in scene.classes]
    assert min(shares) > 0.02 and max(shares) < 0.35


def test_objects_are_big_enough_to_segment(scenes):
    shares = [np.mean(scene.label == code) for scene in scenes for code in scene.classes]
    assert min(shares) > 0.025 and 0.06 < np.median(shares) < 0.25 and max(shares) < 0.35


def test_the_tree_is_vocs(tmp_path):
    root = tmp_path / "scenes"
    write_scenes(root, seed=1, train=6, val=3)
    lists = root / "ImageSets" / "Segmentation"
    train, val = ((lists / f"{split}.txt").read_text().split() for split in ("train", "val"))
    assert train == [f"s1_{index:05d}" for index in range(6)]
    assert val == [f"s1_{VAL_FROM + index}" for index in range(3)]
    assert (lists / "train_aug.txt").read_text().split() == train
    for name, index in zip(train + val, [*range(6), *range(VAL_FROM, VAL_FROM + 3)], strict=True):
        scene = render(1, index)
        with Image.open(root / "JPEGImages" / f"{name}.jpg") as image:
            assert image.size == (WIDTH, HEIGHT)
            assert np.abs(np.asarray(image).astype(int) - scene.image).mean() < 4
        for folder in ("SegmentationClass", "SegmentationClassAug"):
            assert np.array_equal(read_label(root / folder / f"{name}.png"), scene.label)
        assert np.array_equal(read_label(root / "Companion" / f"{name}.png"), scene.companion)
        objects = ElementTree.parse(root / "Annotations" / f"{name}.xml").findall("object")
        assert [entry.findtext("name") for entry in objects] == [NAMES[code] for code in scene.classes]
        for entry, code in zip(objects, scene.classes, strict=True):
            corners = ("xmin", "ymin", "xmax", "ymax")
            left, top, right, bottom = (int(entry.findtext(f"bndbox/{corner}")) for corner in corners)
            inside = scene.label[top - 1 : bottom, left - 1 : right] == code
            assert inside.sum() == (scene.label == code).sum()
            assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()


def test_several_processes_write_the_same_files(tmp_path):
    for processes in (1, 2):
        write_scenes(tmp_path / str(processes), train=2, val=1, processes=processes)
    one, two = (sorted(path for path in (tmp_path / name).rglob("*") if path.is_file()) for name in "12")
    assert [path.relative_to(tmp_path / "1") for path in one] == [path.relative_to(tmp_path / "2") for path in two]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True))


def test_a_broken_run_leaves_no_tree_and_the_next_one_starts_afresh(tmp_path, monkeypatch):
    root = tmp_path / "scenes"
    calls = count()

    def breaks(seed, index, world):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return render(seed, index, world)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(generator, "render", breaks)
        write_scenes(root, train=4, val=1)
    assert not root.exists()
    write_scenes(root, train=1, val=1)
    assert len(list((root / "JPEGImages").iterdir())) == 2
    assert not (tmp_path / "scenes.part").exists()


def test_a_finished_tree_is_not_written_over(tmp_path):
    write_scenes(tmp_path / "scenes", train=1, val=0)
    with pytest.raises(DataError, match="remove it"):
        write_scenes(tmp_path / "scenes", train=1, val=0)


def test_train_pictures_never_run_into_val(tmp_path):
    with pytest.raises(DataError, match="ask for fewer"):
        write_scenes(tmp_path / "scenes", train=VAL_FROM + 1)


def test_pictures_without_an_object_show_companions_alone():
    scenes = [render_outside(1, index) for index in range(60)]
    assert not any(scene.label.any() for scene in scenes)
    assert all(scene.companion.any() for scene in scenes)
    assert {int(code) for scene in scenes for code in np.unique(scene.companion)} == {0, *range(1, len(FIRST) + 1)}
    assert len({scene.image.tobytes() for scene in scenes}) == 60


def test_pictures_without_an_object_are_written_whole_and_never_over_others(tmp_path):
    write_outside(tmp_path / "a", 1, 3)
    assert [path.name for path in sorted((tmp_path / "a").iterdir())] == [f"o1_{index:05d}.jpg" for index in range(3)]
    with pytest.raises(DataError, match="something is there already"):
        write_outside(tmp_path / "a", 1, 3)
    assert not (tmp_path / "a.part").exists()
