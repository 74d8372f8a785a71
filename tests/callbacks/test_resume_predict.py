"""A predict job that is killed and goes on leaves, file by file, the bytes of one that was never disturbed."""

import json
import signal
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from callbacks.writing.journal import read_journals
from mars_pl.cli.main import main
from tests.fakes.fake_tree import CLASSES, make_voc_tree
from tests.fakes.predict_job import files

PARTS = "tests.fakes.colour_modules"
FEATURES = {"feature_extractor": {"class_path": "tests.debias.colours.ColourFeatures"}}
CONFIDENT = {"class_path": "mars_pl.wsss.propagation.confident_label.ThresholdConfidentLabels"}

JOBS = {
    "pseudo": (
        {"class_path": f"{PARTS}.ColourScores"},
        "pseudo_label_writer.PseudoLabelWriter",
        {"background_scores": {"mars": 0.6, "baseline": 0.8}, "sweep": [0.5, 0.7, 0.6], "sweep_images": 5},
    ),
    "scores": ({"class_path": f"{PARTS}.ColourScores"}, "score_writer.ScoreWriter", {"confident": CONFIDENT}),
    "centroids": (
        {"class_path": "mars_pl.debias.centroid_module.CentroidModule", "init_args": FEATURES},
        "centroid_writer.CentroidWriter",
        {},
    ),
    "debiased": (
        {
            "class_path": "mars_pl.debias.debias_module.DebiasModule",
            "init_args": {**FEATURES, "centroids": "centroids.safetensors"},
        },
        "debiased_label_writer.DebiasedLabelWriter",
        {"similarity_count": 5},
    ),
    "masks": ({"class_path": f"{PARTS}.ColourMasks"}, "segmentation_writer.SegmentationWriter", {}),
}
"""Model, writer and the writer's settings of the jobs that write something for every image."""

IMAGES = 7


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A tree, the settings of each job, and what a job that was never disturbed left of each."""
    house = tmp_path_factory.mktemp("house")
    names = make_voc_tree(house / "voc", IMAGES + 1, pseudo="Pseudo")
    (house / "voc/ImageSets/Segmentation/train_aug.txt").write_text("".join(f"{name}\n" for name in names[:IMAGES]))
    # red or green and not the companion's yellow, which is both; none for the last class
    vectors = torch.tensor([[0.0, 0, 0], [1, -0.8, 0], [-0.8, 1, 0], [0, 0, 0]])
    save_file({"centroids": vectors}, house / "centroids.safetensors")
    data = {"root": str(house / "voc"), "class_names": ["background", *CLASSES], "label_folder": "Pseudo", "workers": 0}
    for name, (model, writer, settings) in JOBS.items():
        settings = settings if name == "centroids" else {"workers": 0, **settings}
        config = {
            "data": {"class_path": "datamodules.segmentation_data.SegmentationData", "init_args": data},
            "model": yaml.safe_load(json.dumps(model).replace('"centroids.saf', f'"{house}/centroids.saf')),
            "writer": {"class_path": f"callbacks.{writer}", "init_args": settings},
            "trainer": {"accelerator": "cpu", "devices": 1, "enable_progress_bar": False},
        }
        (house / f"{name}.yaml").write_text(yaml.safe_dump(config))
        assert main(words(house, name, house / "whole" / name)) == 0
    return house


def words(house, name, folder, killed_after=-1, *more):
    """The words of a job that watches what it does."""
    watch = [f"--trainer.callbacks+={PARTS}.Watch", f"--trainer.callbacks.killed_after={killed_after}"]
    return ["predict", "-c", str(house / f"{name}.yaml"), *watch, "--trainer.default_root_dir", str(folder), *more]


RESUME = ("--writer.init_args.resume", "true")
AGAIN = "again.txt"


@pytest.fixture(scope="module")
def killed(forked_jobs, house):
    """What each job leaves that is killed after three images, or after all of them (`debiased-end`).

    Two more are killed and then resumed by two processes: `two-pseudo` was killed from outside with a worker busy, of
    `two-scores` one image was left.
    """
    folder = house / "killed"

    def end(name, place, killed_after, *more, kill=None):
        ended = forked_jobs.run(house, words(house, name, folder / place, killed_after, *more), kill=kill)
        assert ended.codes == [-signal.SIGKILL], ended.said

    for name in JOBS:
        end(name, name, 3)
    end("debiased", "debiased-end", IMAGES)
    slow = ("--model.init_args.pause", "0.3", "--writer.init_args.workers", "1")
    end("pseudo", "two-pseudo", -1, *slow, kill=(folder / "two-pseudo/.done-0.jsonl", 2))
    end("scores", "two-scores", IMAGES - 1)
    for name in ("pseudo", "scores"):
        noted = f"--trainer.callbacks.note={AGAIN}"
        ended = forked_jobs.run(house, words(house, name, folder / f"two-{name}", -1, *RESUME, noted), 2)
        assert ended.codes == [0, 0], ended.said
    return folder


def written(folder):
    """What a job leaves, but for how it was called and what was noted of it."""
    return {name: content for name, content in files(folder).items() if name not in ("predict.yaml", "seen.txt", AGAIN)}


def seen(folder, note="seen.txt"):
    return (folder / note).read_text().split()


@pytest.mark.parametrize("name", JOBS)
def test_killed_and_resumed_leaves_the_same_bytes(house, killed, name):
    folder, whole = killed / name, house / "whole" / name
    names = seen(whole)
    assert [done.id for done in read_journals(folder)] == seen(folder) == names[:3]
    ends = {"sweep.json", "about.json", "removed.json", "centroids.safetensors", "candidates.parquet"}
    assert not {Path(file).name for file in written(folder)} & ends
    made = {file: file.stat() for file in folder.rglob("*.*") if file.stem in names}
    assert main(words(house, name, folder, -1, *RESUME)) == 0
    assert written(folder) == written(whole)
    assert seen(folder) == names  # none of the three a second time
    assert [file for file, before in made.items() if file.stat() != before] == []


def test_killed_before_the_end_was_written(house, killed):
    folder, whole = killed / "debiased-end", house / "whole/debiased"
    assert len(list(read_journals(folder))) == IMAGES and not (folder / "removed.json").exists()
    assert main(words(house, "debiased", folder, -1, *RESUME)) == 0
    assert written(folder) == written(whole)
    assert seen(folder)[IMAGES:] == seen(whole)[:1]  # Lightning wants an image; one is done again


def test_afresh_forgets_what_was_done(house, tmp_path):
    (tmp_path / ".done-3.jsonl").write_text('{"id": "2007_000001", "place": 0, "result": null}\n')
    assert main(words(house, "masks", tmp_path)) == 0
    assert written(tmp_path) == written(house / "whole/masks")
    assert seen(tmp_path) == seen(house / "whole/masks")


def test_one_process_is_killed_and_two_go_on(house, killed):
    folder, names = killed / "two-pseudo", seen(house / "whole/pseudo")
    assert written(folder) == written(house / "whole/pseudo")
    again = sorted(seen(folder, AGAIN))
    assert len(again) <= IMAGES - 2 and again == names[-len(again) :]  # two at least were done, and are not done again


def test_one_image_is_left_for_two_processes(house, killed):
    folder, names = killed / "two-scores", seen(house / "whole/scores")
    assert written(folder) == written(house / "whole/scores")
    assert sorted(seen(folder, AGAIN)) == [names[0], names[-1]]  # the process with nothing left does one again
