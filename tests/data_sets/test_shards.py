"""A stage by the real command: it learns from shards what it learns from files, and leaves the same in them."""

from contextlib import chdir
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from datamodules.files.shards.index import INDEX
from datamodules.files.shards.place import place
from datamodules.segmentation_data import SegmentationData
from mars_pl.cli.main import main
from tests.cli.tiny_fit import TinyFit
from tests.datamodules.small_data import data
from tests.fakes.fake_tree import CLASSES, make_voc_tree
from tests.fakes.file_server import serving
from tests.fakes.predict_job import files
from tests.fakes.shards import packed, put

NONE = ("--writer.init_args.refine", "null", "--writer.init_args.workers", "0")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A classifier learnt from a folder of files, and its labels."""
    fit = TinyFit(tmp_path_factory.mktemp("house"))
    assert fit.fit("cam") == 0
    with chdir(fit.house):
        assert main(["data", "shards", "data/voc", "packed", "--size", "0.01"]) == 0
        assert (
            main(["data", "shards", "data/voc", f"file://{fit.house}/bucket", "--index", "lists", "--size", "0.01"])
            == 0
        )
    assert labels(fit, "labels") == 0
    return fit


def labels(fit, folder, *more, root="data/voc"):
    words = [
        word
        for name in ("data/voc", "wsss/cam", "wsss/cam_labels", "trainer/cpu", "tiny.yaml")
        for word in ("-c", name)
    ]
    weights = ["--model.init_args.weights", "cam/weights.safetensors", "--data.init_args.root", root]
    return fit.run("predict", *words, *weights, *NONE, "--trainer.default_root_dir", folder, *more)


def held(folder):
    """The bytes of every label that a folder or its shards hold."""
    there = place(folder)
    names = there.names() if hasattr(there, "names") else [path.name for path in there.glob("*.png")]
    return {name: (there / name).open("rb").read() for name in names}


@pytest.mark.parametrize(("root", "workers"), [("packed", 0), ("lists", 2)])
def test_a_classifier_learns_the_same_weights(house, root, workers):
    words = ("--data.init_args.root", root, "--data.init_args.workers", str(workers))
    assert house.fit(f"from-{root}", *words) == 0
    learnt, wanted = (load_file(house.house / name / "weights.safetensors") for name in (f"from-{root}", "cam"))
    assert learnt.keys() == wanted.keys() and all(torch.equal(learnt[key], wanted[key]) for key in wanted)


@pytest.mark.parametrize("where", ["here", "file"])
def test_labels_in_shards_are_those_in_files(house, where):
    url = "here" if where == "here" else f"file://{house.house}/store/labels"
    folder = f"labels-{where}"
    words = ("--writer.init_args.shards", url, "--writer.init_args.shard_size", "0.001")
    assert labels(house, folder, *words, root="packed") == 0
    for name in ("mars", "baseline"):
        whole = held(house.house / "labels" / name)
        assert held(house.house / folder / name) == whole and len(whole) == 6
        assert not list((house.house / folder / name).glob("*.png"))
        assert (house.house / folder / name / "about.json").is_file()
        if where == "file":
            assert held(Path(house.house / "store/labels" / name)) == whole
    left = {name for name in files(house.house / folder) if Path(name).suffix not in (".tar", ".parquet")}
    assert left == {name for name in files(house.house / "labels") if Path(name).suffix != ".png"}


def test_the_next_stage_reads_labels_from_shards(house):
    assert labels(house, "next", "--writer.init_args.shards", "here") == 0
    segmenter = TinyFit(house.house / "segmenter", "segmenter")
    weights = []
    for folder in ("labels", "next"):
        assert segmenter.fit(f"from-{folder}", "--data.init_args.label_folder", str(house.house / folder / "mars")) == 0
        weights.append(load_file(segmenter.house / f"from-{folder}" / "weights.safetensors"))
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    scored = []
    for folder in ("labels", "next"):
        names = [str(house.house / place) for place in (f"{folder}/mars", "data/voc/SegmentationClass")]
        row = house.house / f"{folder}.json"
        assert main(["evaluate", *names, "--data", "voc", "--json", str(row)]) == 0
        scored.append(yaml.safe_load(row.read_text()))
    assert scored[0] == scored[1]


@pytest.fixture
def served(tmp_path):
    """A root whose images a web server holds, and that server."""
    make_voc_tree(tmp_path / "voc", 6, pseudo="Pseudo")
    packed(tmp_path / "voc/Pseudo", tmp_path / "labels")
    content = {path.name: path.read_bytes() for path in (tmp_path / "labels").iterdir()}
    with serving(content) as server:
        yield tmp_path / "voc", server


def test_forked_readers_ask_a_server_of_their_own(served):
    root, server = served
    url = server.address(INDEX).removesuffix(f"/{INDEX}")
    reading = {"workers": 2, "label_folder": url, "predict_split": "all", "validate_split": None}
    batches = []
    for label_folder in ("Pseudo", url):
        module = data(root, **(reading | {"label_folder": label_folder}))
        module.setup("predict")
        batches.append({batch["id"][0]: batch["label"] for batch in module.predict_dataloader()})
    assert batches[0].keys() == batches[1].keys() and len(batches[0]) == 6
    assert all(torch.equal(batches[0][name], batches[1][name]) for name in batches[0])
    assert any(asked and asked.startswith("bytes=") for asked in server.ranges), "parts of the shard"


def module_of(root, **options):
    return SegmentationData(str(root), ["background", *CLASSES], workers=0, predict_split="all", **options)


def test_one_line_before_a_stage_starts(tmp_path, bucket):
    make_voc_tree(tmp_path, 6, pseudo="Pseudo")
    packed(tmp_path / "Pseudo", f"{bucket}/labels", 1e-3)
    labelled = module_of(tmp_path, label_folder=f"{bucket}/labels")
    labelled.setup("predict")
    shard = place(f"{bucket}/labels").index.shards()[0]
    faults = {}
    for name, change in (("cut short", b"half"), ("no such shard", None)):
        put(f"{bucket}/labels/{shard}", change)
        with pytest.raises(ValueError, match=name) as told:
            module_of(tmp_path, label_folder=f"{bucket}/labels").setup("predict")
        faults[name] = str(told.value)
    assert all("\n" not in line and shard in line for line in faults.values())
    put(f"{bucket}/labels/{INDEX}", None)
    with pytest.raises(ValueError, match="no such index of shards"):
        module_of(tmp_path, label_folder=f"{bucket}/labels").setup("predict")


def test_images_to_predict_lie_in_shards(tmp_path, bucket):
    ids = make_voc_tree(tmp_path, 6)
    packed(tmp_path / "JPEGImages", bucket)
    module = module_of(tmp_path / "nowhere", images=bucket)
    module.setup("predict")
    found = {batch["id"][0]: batch["image"] for batch in module.predict_dataloader()}
    module = module_of(tmp_path / "nowhere", images=str(tmp_path / "JPEGImages"))
    module.setup("predict")
    wanted = {batch["id"][0]: batch["image"] for batch in module.predict_dataloader()}
    assert list(found) == list(wanted) == ids
    assert all(torch.equal(found[name], wanted[name]) for name in ids)


def test_a_store_without_images(tmp_path, bucket):
    make_voc_tree(tmp_path, 6)
    packed(tmp_path / "SegmentationClass", bucket)
    put(f"{bucket}/{INDEX}", _empty(tmp_path))
    with pytest.raises(ValueError, match="holds no image"):
        module_of(tmp_path, images=bucket).setup("predict")


def _empty(folder):
    from datamodules.files.shards.index import merged, write_table

    write_table(folder / "empty.parquet", merged([]))
    return (folder / "empty.parquet").read_bytes()
