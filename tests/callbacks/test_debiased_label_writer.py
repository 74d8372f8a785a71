import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from callbacks.debiased_label_writer import DebiasedLabelWriter
from datamodules.files.labels import read_label
from mars_pl.debias.debias_module import DebiasModule
from tests.debias.colours import ColourFeatures, Colours, predict

WHITE = 3**-0.5


class RemoveAll:
    """A refinement that calls every pixel background; it pickles, as workers ask for."""

    def __call__(self, images, probabilities):
        return torch.stack([torch.ones_like(probabilities[:, 0]), torch.zeros_like(probabilities[:, 1])], dim=1)


@pytest.fixture(scope="module")
def centroids(tmp_path_factory):
    path = tmp_path_factory.mktemp("centroids") / "centroids.safetensors"
    save_file({"centroids": torch.tensor([[0.0, 0.25, 0.75], [1, 0, 0], [WHITE, WHITE, WHITE], [0, 0, 0]])}, path)
    return str(path)


def write(centroids, output, data=None, workers=0, **settings):
    writer = DebiasedLabelWriter(output=str(output), workers=workers, **settings)
    predict(DebiasModule(ColourFeatures(), centroids, num_classes=4), writer, data or Colours())
    return output


def labels(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}


def test_the_companion_is_removed_and_nothing_else(centroids, tmp_path):
    output = write(centroids, tmp_path / "labels")
    assert len(labels(output)) == 6
    label = read_label(output / "im9.png")
    # Between the cells' centres at columns 9.5 and 13.5 the feature fades from red to green: column 12 is 3/8 red,
    # cosine .51, above the cut of .382; column 13 is 1/8 red, cosine .14.
    wanted = np.zeros((24, 32), dtype=np.uint8)
    wanted[8:16, 4:13] = 1
    wanted[8:16, 13:20] = 254
    wanted[0, 0] = 255
    assert np.array_equal(label, wanted)
    white = read_label(output / "im8.png")
    assert np.array_equal(np.unique(white), [0, 2, 255])


def test_what_was_removed_is_counted_beside_the_folder(centroids, tmp_path, capsys):
    write(centroids, tmp_path / "labels")
    removed = json.loads((tmp_path / "labels" / "removed.json").read_text())
    assert removed == {
        "removed": {"all": 224 / 640, "red": 56 / 128, "white": 0.0, "nobody": None},
        "pixels": {"all": 640, "red": 512, "white": 128, "nobody": 0},
        "pixels_removed": {"all": 224, "red": 224, "white": 0, "nobody": 0},
        "split": "train_aug",
        "images": 6,
        "refinement": "none",
    }
    printed = capsys.readouterr().out
    assert "Removed as biased (train_aug, 6 images, refinement none)" in " ".join(printed.split())
    line = next(line for line in printed.splitlines() if "red" in line and "512" in line)
    assert "43.8%" in line


def test_workers_and_the_absence_of_truth_do_not_show(centroids, tmp_path):
    here = write(centroids, tmp_path / "here")
    away = write(centroids, tmp_path / "away", data=Colours(truth=False), workers=1)
    assert labels(here) == labels(away)


def test_the_refinement_is_used_and_much_removal_warned_of(centroids, tmp_path):
    with pytest.warns(UserWarning, match=r"more than 60% removed of red 100%, white 100%"):
        output = write(centroids, tmp_path / "labels", refine=RemoveAll())
    assert np.array_equal(np.unique(read_label(output / "im8.png")), [0, 254, 255])


def test_the_exponent_moves_the_cut(centroids, tmp_path):
    output = write(centroids, tmp_path / "labels", exponent=1.0)
    assert (read_label(output / "im9.png")[8:16, 12] == 1).any()  # cosine .51 at the middle rows, still above .5
    output = write(centroids, tmp_path / "labels", exponent=0.5)
    assert (read_label(output / "im9.png")[8:16, 12] == 254).all()


def test_the_first_maps_of_the_list_are_shown(centroids, tmp_path):
    shown = tmp_path / "labels" / "maps"
    write(centroids, tmp_path / "labels", similarity="maps", similarity_count=2)
    assert sorted(path.name for path in shown.iterdir()) == ["im8.png", "im9.png"]  # the list begins im9, im8
    with Image.open(shown / "im9.png") as image:
        assert image.mode == "L"
        values = np.array(image)
    assert values.shape == (24, 32)
    assert values[11, 6] == 255
    assert values[0, 0] == 0


def test_a_class_of_one_kind_loses_nothing_whatever_the_refinement_says(centroids, tmp_path):
    red, green, white = torch.tensor([[[1.0, 0, 0]], [[0, 1.0, 0]], [[WHITE] * 3]])
    nothing = torch.zeros_like(red)
    kinds = {"targets": torch.stack([nothing, red, white, nothing]), "whole": torch.tensor([1, 0, 1, 1])}
    kinds |= {"biased": torch.stack([nothing, green, nothing, nothing]), "background": torch.tensor([[0.0, 0, 1]])}
    save_file(load_file(centroids) | kinds, tmp_path / "kinds.safetensors")
    output = write(str(tmp_path / "kinds.safetensors"), tmp_path / "labels", refine=RemoveAll())
    removed = json.loads((output / "removed.json").read_text())["removed"]
    assert (removed["red"], removed["white"]) == (1.0, 0.0)
