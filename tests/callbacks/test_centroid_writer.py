import csv
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch.utils.data import default_collate

from callbacks.centroid_writer import CentroidWriter
from datamodules.errors import DataError
from mars_pl.debias.centroid_module import CentroidModule
from tests.debias.colours import ColourFeatures, Colours, predict
from tests.fakes import predict_job as job


def write(output, data=None, **settings):
    predict(
        CentroidModule(ColourFeatures(), num_classes=4),
        CentroidWriter(output=str(output), **settings),
        data or Colours(),
    )
    return output


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write(tmp_path_factory.mktemp("centroids"))


def rows(folder):
    with (folder / "candidates.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_debiased_centroids_are_the_objects(written):
    tensors = load_file(written / "centroids.safetensors")
    # Eight background centroids, six blue and two green. Far from them is red: distance 1/2, green's is (1 − 2/8) / 2.
    white = 3**-0.5
    wanted = torch.tensor([[0, 0.25, 0.75], [1, 0, 0], [white, white, white], [0, 0, 0]])
    assert torch.allclose(tensors["centroids"], wanted, atol=1e-6)
    assert tensors["counts"].tolist() == [8, 4, 1, 0]  # ⌈.4 · 8⌉ of red and green, ⌈.4 · 2⌉ of white
    assert sorted(set(tensors["foreground.distances"][tensors["foreground.classes"] == 1].tolist())) == [0.375, 0.5]
    assert tensors["background.vectors"].shape == (8, 3)


def test_every_candidate_is_in_the_table_in_order(written):
    table = rows(written)
    assert [(row["id"], row["class"], row["cluster"]) for row in table] == [
        ("im4", "red", "0"), ("im4", "red", "1"), ("im5", "white", "0"), ("im6", "red", "0"), ("im6", "red", "1"),
        ("im7", "red", "0"), ("im7", "red", "1"), ("im8", "white", "0"), ("im9", "red", "0"), ("im9", "red", "1"),
    ]  # fmt: skip
    red = [row for row in table if row["class"] == "red"]
    assert {(row["distance"], row["selected"], row["iou"], row["pixels"]) for row in red} == {
        ("0.500000", "1", "1.0000", "64"),
        ("0.375000", "0", "0.0000", "64"),
    }
    with safe_open(written / "centroids.safetensors", framework="pt") as file:
        ids = json.loads(file.metadata()["ids"])
    assert ids["foreground"] == [row["id"] for row in table]
    assert ids["background"] == ["im4", "im5", "im5", "im6", "im7", "im8", "im8", "im9"]


def test_the_selection_is_judged_by_figure_8(written):
    selection = json.loads((written / "selection.json").read_text())
    assert selection["target_share"] == {"all": 1.0, "red": 1.0, "white": 1.0, "nobody": None}
    assert selection["target_share_before"] == {"all": 0.6, "red": 0.5, "white": 1.0, "nobody": None}
    counts = {key: selection[key] for key in ("candidates", "targets", "biased", "between", "selected", "images")}
    assert counts == {"candidates": 10, "targets": 6, "biased": 4, "between": 0, "selected": 5, "images": 6}
    assert (selection["split"], selection["images_with_truth"]) == ("train_aug", 6)
    assert selection["selected_targets"] == 5
    assert selection["empty_regions"] == {}
    assert selection["alpha"] == 0.4


def test_only_finished_files_are_left(written):
    assert {path.name for path in written.iterdir()} == {"centroids.safetensors", "candidates.csv", "selection.json"}


def test_without_truth_the_same_centroids_and_no_iou(written, tmp_path):
    blind = write(tmp_path / "blind", Colours(truth=False))
    assert (blind / "centroids.safetensors").read_bytes() == (written / "centroids.safetensors").read_bytes()
    assert {row["iou"] for row in rows(blind)} == {""}
    selection = json.loads((blind / "selection.json").read_text())
    assert set(selection["target_share"].values()) == {None}
    assert selection["targets"] is None and selection["images_with_truth"] == 0
    assert selection["selected_biased"] is None


@pytest.mark.parametrize("processes", [2, 8])
def test_several_processes_write_the_same_bytes(written, tmp_path, processes):
    data = Colours()
    module = CentroidModule(ColourFeatures(), num_classes=4)
    batches = [default_collate([item]) for item in data.items]
    items = [(module.predict_step(batch, 0), batch) for batch in batches]
    job.predict([CentroidWriter() for _ in range(processes)], tmp_path, items, data)  # 8 for 6: two have nothing
    assert job.files(tmp_path) == job.files(written)


def test_the_nearest_background_centroid_can_decide_instead(tmp_path):
    tensors = load_file(write(tmp_path, distance="minimum") / "centroids.safetensors")
    distances = tensors["foreground.distances"][tensors["foreground.classes"] == 1]
    assert sorted(set(distances.tolist())) == [0.0, 0.5]  # green is in the background too


def test_labels_without_background_or_foreground_are_told_in_one_line(tmp_path):
    data = Colours()
    for item in data.items:
        item["label"] = torch.zeros_like(item["label"])
    with pytest.raises(DataError, match="in 6 images 12 background and 0 foreground centroids") as error:
        write(tmp_path, data)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "centroids.safetensors").exists()


def test_a_wrong_alpha_is_told_before_the_first_image(tmp_path):
    with pytest.raises(ValueError, match="alpha is a share"):
        CentroidWriter(alpha=40)


def test_the_table_is_printed_and_a_class_without_centroid_named(tmp_path, capsys):
    data = Colours()
    data.items[0]["classes"] = torch.tensor([1.0, 0.0, 1.0])
    with pytest.warns(UserWarning, match="no centroid for nobody"):
        write(tmp_path, data)
    assert json.loads((tmp_path / "selection.json").read_text())["empty_regions"] == {"nobody": 1}
    printed = capsys.readouterr().out
    assert "train_aug, 6 images, targets by 6 with truth" in " ".join(printed.split())
    line = next(line for line in printed.splitlines() if "red" in line)
    assert line.replace("│", " ").split() == ["red", "8", "4", "50.0%", "100.0%"]


def test_a_class_name_is_no_markup(tmp_path, capsys):
    data = Colours()
    data.class_names = ("background", "[bold]red", "[/white]", ":cat:")
    write(tmp_path, data)
    printed = capsys.readouterr().out
    assert "[bold]red" in printed and "[/white]" in printed
