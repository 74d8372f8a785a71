"""The same centroids and labels as the predict jobs, and what is said of wrong input."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from callbacks.centroid_writer import CentroidWriter
from callbacks.debiased_label_writer import DebiasedLabelWriter
from datamodules.files.labels import BIASED, IGNORED, read_label
from mars_pl.api import debias, debiased_centroids
from mars_pl.debias.centroid_module import CentroidModule
from mars_pl.debias.debias_module import DebiasModule
from mars_pl.refine.pamr import PAMR
from tests.api.given import RED, as_arrays, by_colour, given
from tests.callbacks.writing.candidates.tables import foreground
from tests.debias.colours import OBJECT, ColourFeatures, Colours, predict

LABELS = {"labels": {}, "lifted": {"lift": 0.9, "lift_quantile": 0.3}}


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """The folder of both predict jobs on six images, with settings that are no defaults."""
    folder = tmp_path_factory.mktemp("jobs")
    module = CentroidModule(ColourFeatures(), num_classes=4, background_clusters=3, level="pixel", stride=3)
    predict(module, CentroidWriter(alpha=0.3, distance="minimum", output=str(folder)), Colours())
    for name, settings in LABELS.items():
        module = DebiasModule(ColourFeatures(), str(folder / "centroids.safetensors"), num_classes=4, **settings)
        writer = DebiasedLabelWriter(PAMR(), exponent=1.5, workers=0, output=str(folder / name))
        predict(module, writer, Colours())
    return folder


@pytest.mark.parametrize(
    ("form", "features"),
    [(given, ColourFeatures().eval()), (as_arrays, by_colour)],
    ids=["network on tensors", "function on arrays"],
)
def test_centroids_and_labels_are_those_of_the_jobs(jobs, form, features):
    images = [form(item) for item in Colours().items]
    settings = {"background_clusters": 3, "level": "pixel", "stride": 3, "alpha": 0.3, "distance": "minimum"}
    found = debiased_centroids(reversed(images), features, num_classes=4, **settings)
    written = load_file(jobs / "centroids.safetensors")
    assert torch.equal(found.centroids, written["centroids"])
    table = foreground(jobs)
    assert found.distances.tolist() == [row["distance"] for row in table]
    assert found.selected.tolist() == [row["selected"] for row in table]
    assert list(found.foreground.ids) == [row["id"] for row in table]
    assert found.foreground.vectors.tolist() == [row["vector"] for row in table]
    removed = {}
    for folder, own in LABELS.items():
        labels = dict(debias(images, features, found, refine=PAMR(), exponent=1.5, **own))
        assert sorted(labels) == sorted(path.stem for path in (jobs / folder).glob("*.png"))
        removed[folder] = sum(int((np.asarray(label) == BIASED).sum()) for label in labels.values())
        for name, label in labels.items():
            assert np.array_equal(np.asarray(label), read_label(jobs / folder / f"{name}.png"))
    assert removed["lifted"] < removed["labels"], "what is lifted is kept"


def test_labels_come_back_in_the_type_they_came_in():
    item = Colours().items[0]
    centroids = np.array([[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]])
    [(_, tensor)] = debias([given(item, label=item["label"].to(torch.int16))], ColourFeatures().eval(), centroids)
    assert isinstance(tensor, torch.Tensor) and tensor.dtype == torch.int16
    name, pixels, label, classes = as_arrays(item)
    before = label.copy()
    [(_, array)] = debias([(name, pixels, label, classes)], by_colour, centroids)
    assert isinstance(array, np.ndarray) and array.dtype == np.uint8
    assert (array[OBJECT] == 1).all() and (array[8:16, 13:20] == BIASED).all() and array[0, 0] == IGNORED
    assert np.array_equal(label, before), "the label that was given is not written on"


WRONG = {
    "parts": (("im", RED["image"]), r"image 0: want \(id, image, label, classes\)"),
    "id": (given(RED, id=3), "image 0: its id 3 is no str"),
    "kind of label": (given(RED, label="im.png"), "im: label: want a numpy array of numbers or a tensor, got str"),
    "float label": (given(RED, label=torch.zeros(24, 32)), r"im: want a label \(H, W\) of integers"),
    "narrow label": (given(RED, label=torch.zeros(24, 32, dtype=torch.int8)), "torch.int8 cannot hold the code 255"),
    "code": (given(RED, label=torch.full((24, 32), 4)), "im: label code 4 is none of the classes 0 to 3, nor 254"),
    "negative code": (given(RED, label=torch.full((24, 32), -1)), "im: label code -1"),
    "float image": (given(RED, image=torch.zeros(3, 24, 32)), "im: want a uint8 RGB image in 0…255, got torch.float32"),
    "grey image": (
        given(RED, image=RED["image"][0]),
        r"im: an image of shape \(24, 32\), its label wants \(3, 24, 32\)",
    ),
    "size": (given(RED, image=RED["image"][:, :20]), r"im: an image of shape \(3, 20, 32\)"),
    "class numbers": (given(RED, classes=[1, 3]), r"im: want 3 zeros and ones, .*, got \[1, 3\]"),
    "no zeros and ones": (given(RED, classes=[0, 2, 0]), "im: want 3 zeros and ones"),
    "names": (given(RED, classes=["train", "sea", "cow"]), "im: want 3 zeros and ones"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_image_is_named_in_one_line(case):
    item, words = WRONG[case]
    features = ColourFeatures().eval()
    with pytest.raises(ValueError, match=words) as error:
        debiased_centroids([item], features, num_classes=4)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=words):
        next(debias([item], features, torch.zeros(4, 3)))


def test_an_id_twice_is_an_error():
    with pytest.raises(ValueError, match="im: an id comes twice"):
        debiased_centroids([given(RED), given(RED)], ColourFeatures().eval(), num_classes=4)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (ColourFeatures().train(), r"a network in training mode.*\.eval\(\)"),
        (lambda image: np.zeros((6, 8)), r"im: want floating features \(D, h, w\), got \(6, 8\)"),
        (lambda image: np.zeros((3, 6, 8), dtype=int), "im: want floating features .* of torch.int64"),
        (lambda image: np.full((3, 6, 8), np.nan), "im: features that are not finite"),
        (lambda image: None, "im: features: want a numpy array of numbers or a tensor, got NoneType"),
    ],
)
def test_wrong_features_are_told_in_one_line(features, words):
    with pytest.raises(ValueError, match=words):
        debiased_centroids([given(RED)], features, num_classes=4)


def test_features_of_two_kinds_are_told_apart():
    images = [given(RED), given(RED, id="other")]
    kinds = iter((3, 5))
    with pytest.raises(ValueError, match="other: features of 5 channels, those of the first image have 3"):
        debiased_centroids(images, lambda image: np.ones((next(kinds), 6, 8)), num_classes=4)
    with pytest.raises(ValueError, match="features have 3 channels, centroids 7"):
        next(debias(images, ColourFeatures().eval(), torch.ones(4, 7)))


def test_labels_without_background_or_objects_are_told():
    for label, words in (
        (torch.ones(24, 32, dtype=torch.long), "0 background and 2"),
        (RED["label"] * 0, "0 foreground"),
    ):
        with pytest.raises(ValueError, match=words):
            debiased_centroids([given(RED, label=label)], ColourFeatures().eval(), num_classes=4)
    with pytest.raises(ValueError, match="0 background and 0 foreground"):
        debiased_centroids([], ColourFeatures().eval(), num_classes=4)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"alpha": 40}, "alpha is a share"),
        ({"distance": "middle"}, "distance 'middle' is none of mean, minimum, nearest"),
        ({"num_classes": 1}, "num_classes 1: want background and at least one class"),
        ({"num_classes": 300}, "num_classes 300"),
    ],
)
def test_wrong_settings_are_told_before_the_first_image(settings, words):
    def never():
        raise AssertionError("an image was read")
        yield

    with pytest.raises(ValueError, match=words):
        debiased_centroids(never(), ColourFeatures().eval(), **{"num_classes": 4, **settings})
    with pytest.raises(ValueError, match=r"centroids of shape \(4,\)"):
        debias(never(), ColourFeatures().eval(), torch.zeros(4))
    with pytest.raises(ValueError, match=r"lift 6\.0, lift_quantile 0\.9: similarity and quantile go from 0 to 1"):
        debias(never(), ColourFeatures().eval(), torch.zeros(4, 3), lift=6.0)
