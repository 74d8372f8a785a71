import json

import pyarrow.parquet as pq
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch.utils.data import default_collate

from callbacks.centroid_writer import CentroidWriter
from callbacks.writing.candidates import parts
from callbacks.writing.candidates.selecting import TableSelection
from callbacks.writing.journal import read_journals
from datamodules.errors import DataError
from mars_pl.debias.centroid_module import CentroidModule
from mars_pl.debias.kinds.two_kinds import TwoKinds
from tests.callbacks.writing.candidates.tables import foreground, read_rows
from tests.debias.colours import ColourFeatures, Colours, predict
from tests.fakes import predict_job as job


class Data(Colours):
    """The six images' data, which remembers what a writer told it to leave out."""

    left_out = frozenset()

    def leave_out(self, ids):
        self.left_out = set(ids)


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


def test_the_debiased_centroids_are_the_objects(written):
    tensors = load_file(written / "centroids.safetensors")
    # Eight background centroids, six blue and two green. Far from them is red: distance 1/2, green's is (1 − 2/8) / 2.
    white = 3**-0.5
    wanted = torch.tensor([[0, 0.25, 0.75], [1, 0, 0], [white, white, white], [0, 0, 0]])
    assert torch.allclose(tensors["centroids"], wanted, atol=1e-6)
    assert tensors["counts"].tolist() == [8, 4, 1, 0]  # ⌈.4 · 8⌉ of red and green, ⌈.4 · 2⌉ of white
    assert tensors.keys() == {"centroids", "counts"}
    with safe_open(written / "centroids.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["settings"]) == {"alpha": 0.4, "distance": "mean", "split": "train_aug"}


def test_every_candidate_is_in_the_table_in_order(written):
    table = read_rows(written)
    names = ("background", "red", "white")
    assert [(row["id"], names[row["class"]], row["cluster"]) for row in table] == [
        ("im4", "background", 0), ("im4", "red", 0), ("im4", "red", 1),
        ("im5", "background", 0), ("im5", "background", 1), ("im5", "white", 0),
        ("im6", "background", 0), ("im6", "red", 0), ("im6", "red", 1),
        ("im7", "background", 0), ("im7", "red", 0), ("im7", "red", 1),
        ("im8", "background", 0), ("im8", "background", 1), ("im8", "white", 0),
        ("im9", "background", 0), ("im9", "red", 0), ("im9", "red", 1),
    ]  # fmt: skip
    red = [row for row in table if row["class"] == 1]
    assert {(row["distance"], row["selected"], row["iou"], row["pixels"]) for row in red} == {
        (0.5, True, 1.0, 64),
        (0.375, False, 0.0, 64),
    }
    assert {tuple(row["vector"]) for row in red if row["selected"]} == {(1.0, 0.0, 0.0)}
    background = [row for row in table if row["class"] == 0]
    assert {(row["distance"], row["selected"], row["iou"]) for row in background} == {(None, None, None)}
    columns = pq.read_schema(written / "candidates.parquet")
    assert json.loads(columns.metadata[b"class_names"]) == ["background", "red", "white", "nobody"]
    assert columns.field("vector").type.list_size == 3


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
    assert {path.name for path in written.iterdir()} == {
        "centroids.safetensors",
        "candidates.parquet",
        "selection.json",
    }


def test_without_truth_the_same_centroids_and_no_iou(written, tmp_path):
    blind = write(tmp_path / "blind", Colours(truth=False))
    assert (blind / "centroids.safetensors").read_bytes() == (written / "centroids.safetensors").read_bytes()
    assert {row["iou"] for row in read_rows(blind)} == {None}
    selection = json.loads((blind / "selection.json").read_text())
    assert set(selection["target_share"].values()) == {None}
    assert selection["targets"] is None and selection["images_with_truth"] == 0
    assert selection["selected_biased"] is None


@pytest.fixture
def items():
    """What the module predicts for each image, with its batch."""
    batches = [default_collate([item]) for item in Colours().items]
    module = CentroidModule(ColourFeatures(), num_classes=4)
    return [(module.predict_step(batch, 0), batch) for batch in batches]


@pytest.mark.parametrize("images", [1, 2, 65_536])
@pytest.mark.parametrize("processes", [1, 2, 8])
def test_several_processes_write_the_same_bytes(written, tmp_path, items, processes, images, monkeypatch):
    monkeypatch.setattr(parts, "IMAGES", images)
    monkeypatch.setattr(parts, "GROUP", 1)
    job.predict([CentroidWriter() for _ in range(processes)], tmp_path, items, Colours())  # 8 for 6: two have nothing
    assert job.files(tmp_path) == job.files(written)


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 3), (3, 2)])
def test_a_job_goes_on_with_what_was_packed_and_what_was_not(written, tmp_path, items, before, after, monkeypatch):
    monkeypatch.setattr(parts, "IMAGES", 2)
    data = Data()
    job.predict([CentroidWriter() for _ in range(before)], tmp_path, items, data, killed_after=5)
    assert len(list(tmp_path.glob(".candidates-*.parquet"))) == 2
    assert len(list(read_journals(tmp_path))) == 1
    job.predict([CentroidWriter(resume=True) for _ in range(after)], tmp_path, items, data)
    assert data.left_out == {"im9", "im8", "im7", "im6", "im5"}
    assert job.files(tmp_path) == job.files(written)


def test_killed_between_a_part_and_its_journals_clearing(written, tmp_path, items, monkeypatch):
    monkeypatch.setattr(parts, "IMAGES", 4)
    monkeypatch.setattr(parts.CandidateJournal, "clear", lambda self: None)
    data = Data()
    job.predict(CentroidWriter(), tmp_path, items, data, killed_after=4)
    assert len(list(read_journals(tmp_path))) == 4 and len(list(parts.ids_in_parts(tmp_path))) == 4
    monkeypatch.undo()
    job.predict(CentroidWriter(resume=True), tmp_path, items, data)
    assert data.left_out == {"im9", "im8", "im7", "im6"}
    assert job.files(tmp_path) == job.files(written)


def test_killed_at_the_end_nothing_is_done_again(written, tmp_path, items, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TableSelection, "write", killed)
    for before in (set(), {f"im{place}" for place in range(4, 10)}):
        data = Data()
        with pytest.raises(KeyboardInterrupt):
            job.predict(CentroidWriter(resume=True), tmp_path, items, data)
        assert data.left_out == before
    monkeypatch.undo()
    data = Data()
    data.leave_out = lambda ids: None  # as an image is that a process does again which has nothing left: here all are
    job.predict(CentroidWriter(resume=True), tmp_path, items, data)
    assert job.files(tmp_path) == job.files(written)


def test_afresh_forgets_the_candidates_that_were_found(written, tmp_path, items, monkeypatch):
    monkeypatch.setattr(parts, "IMAGES", 1)
    data = Data()
    other = [(prediction, batch | {"id": [f"x{batch['id'][0]}"]}) for prediction, batch in items]
    job.predict(CentroidWriter(), tmp_path, other, data, killed_after=4)
    job.predict(CentroidWriter(), tmp_path, items, data)
    assert data.left_out == set()
    assert job.files(tmp_path) == job.files(written)


def test_the_nearest_background_centroid_can_decide_instead(tmp_path):
    table = foreground(write(tmp_path, distance="minimum"))
    assert {row["distance"] for row in table if row["class"] == 1} == {0.0, 0.5}  # green is in the background too


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


def test_two_kinds_part_red_from_its_companion_and_leave_white_whole(tmp_path):
    folder = write(tmp_path, alpha=1.0, distance="minimum", parting=TwoKinds(targets=1, biased=1, background=2))
    tensors = load_file(folder / "centroids.safetensors")
    assert tensors["counts"].tolist() == [8, 4, 2, 0]
    assert torch.allclose(tensors["targets"][1], torch.tensor([[1.0, 0, 0]]))
    assert torch.allclose(tensors["biased"][1], torch.tensor([[0.0, 1, 0]])) and not tensors["biased"][2:].any()
    assert tensors["whole"].tolist() == [1, 0, 1, 1]  # white has two candidates: too few to part
