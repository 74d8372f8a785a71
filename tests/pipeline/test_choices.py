"""A person's words, completed by what the data set, the features and the machine prefer."""

from pathlib import Path

import pytest

from datamodules.errors import DataError
from mars_pl.pipeline import choices, preferences
from mars_pl.pipeline.choices import Choices, read_choices
from mars_pl.pipeline.run_folder import run_name
from mars_pl.pipeline.settings import configs
from mars_pl.pipeline.settings.configs import config_folder


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    monkeypatch.setattr(choices, "best_trainer", lambda: "ddp")
    monkeypatch.setattr(preferences, "best_size", lambda: "small")
    monkeypatch.setattr(preferences, "cached", lambda name: False)
    monkeypatch.setattr(preferences, "find_weights_file", lambda name: None)


def chosen(**words):
    return read_choices(words, {})


def test_without_a_word_the_choices_are_those_of_the_table():
    found = chosen(data="voc")
    assert (found.data_root, found.trainer, found.segment_seed) == ("data/voc", "ddp", 0)
    for name in ("wsss", "uss", "backbone", "centroids", "segmenter", "train", "alpha", "gamma", "shifts", "tokens"):
        assert getattr(found, name) == getattr(Choices, name)


def test_words_become_what_they_mean():
    found = chosen(
        data="voc",
        alpha=".3",
        shifts="2",
        tokens="TRUE",
        foreground_clusters="4",
        also="baseline, mars debiased",
        seed="7",
    )
    assert (found.alpha, found.shifts, found.tokens, found.foreground_clusters) == (0.3, 2, True, 4)
    assert found.also == ("baseline", "mars", "debiased")
    assert (found.seed, found.segment_seed) == (7, 7)
    assert chosen(data="voc", seed="7", segment_seed="1").segment_seed == 1


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ({"data": "scenes"}, {"backbone": "vit_scenes", "segmenter": "deeplabv3plus_scenes", "tokens": True}),
        ({"data": "scenes"}, {"centroids": "centroids_minimum", "propagation_from": "classifier", "gamma": None}),
        ({"data": "scenes", "uss": "leopart"}, {"gamma": 1.5, "backbone": "vit_scenes"}),
        ({"data": "scenes", "uss": "leopart", "gamma": "3"}, {"gamma": 3.0}),
        ({"data": "scenes", "centroids": "centroids"}, {"centroids": "centroids"}),
        ({"data": "voc", "uss": "leopart"}, {"backbone": "vit_small_patch16_dino", "gamma": None}),
        ({"data": "voc", "uss": "stego_vit_small"}, {"backbone": "vit_small_patch8_dino", "gamma": None}),
        ({"data": "voc", "uss": "leopart", "backbone": "vit_base_patch8_dino"}, {"backbone": "vit_base_patch8_dino"}),
        ({"data": "voc_animals"}, {"backbone": "vit_small_focus", "segmenter": "deeplabv3plus_lite0", "tokens": True}),
        ({"data": "voc_animals", "uss": "leopart"}, {"backbone": "vit_small_focus"}),
        (
            {"data": "folder"},
            {"size": "small", "segmenter": "deeplabv3plus_lite0", "tokens": True, "fewest_steps": 150},
        ),
        ({"data": "folder"}, {"uss": "stego_vit_small", "backbone": "vit_small_patch8_dino"}),
        ({"data": "folder", "uss": "stego"}, {"backbone": "vit_small_focus"}),
        (
            {"data": "folder", "uss": "leopart"},
            {"backbone": "vit_small_patch16_dino", "tokens": True},
        ),
        ({"data": "folder", "size": "full"}, {"uss": "stego", "backbone": "vit_base_patch8_dino", "tokens": False}),
        ({"data": "voc", "size": "small"}, {"size": "small", "segmenter": "deeplabv3plus_lite0"}),
        ({"data": "voc", "size": "machine"}, {"size": "small"}),
        ({"data": "voc_animals"}, {"size": "small", "uss": "stego"}),
        ({"data": "coco"}, {"train_split": "train_labelled", "truth_aug": "SegmentationClass"}),
        ({"data": "folder"}, {"truth": "masks", "truth_aug": "masks", "where_truth": True}),
    ],
)
def test_the_data_go_before_the_features_and_a_person_before_both(words, values):
    found = chosen(**words)
    assert {name: getattr(found, name) for name in values} == values


def test_of_a_sizes_features_those_are_taken_whose_weights_are_here(monkeypatch):
    here = "vit_small_patch14_focus.fp16.safetensors"
    monkeypatch.setattr(preferences, "find_weights_file", lambda name: name == here or None)
    assert (chosen(data="folder").uss, chosen(data="folder").backbone) == ("stego", "vit_small_focus")
    monkeypatch.setattr(preferences, "cached", lambda name: name == "vit_small_patch8_224.dino")
    assert chosen(data="folder").backbone == "vit_small_patch8_dino", "of both the first"


def test_a_size_that_there_is_not():
    with pytest.raises(DataError, match=r"size=smal: there is no configs/size/smal\.yaml; did you mean small\?"):
        chosen(data="folder", size="smal")


@pytest.mark.parametrize(("lists", "split"), [(["val", "train"], "val"), (["train"], "train"), ([], "train")])
@pytest.mark.parametrize("place", ["", "ImageSets/Segmentation"])
def test_networks_of_a_folder_are_scored_on_the_first_list_there_is(tmp_path, lists, split, place):
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    for name in lists:
        (tmp_path / place / f"{name}.txt").write_text("a\n")
    assert chosen(data="folder", data_root=str(tmp_path)).network_split == split
    assert chosen(data="folder", data_root=str(tmp_path), network_split="test").network_split == "test"


class TestOwn:
    """YAMLs of one's own beside the shipped ones."""

    @pytest.fixture(autouse=True)
    def own(self, tmp_path, monkeypatch):
        import shutil

        shutil.copytree(config_folder(), tmp_path / "configs")
        monkeypatch.setattr(configs, "_PACKAGE", tmp_path)
        self.folder = tmp_path / "configs"
        (self.folder / "data/mine.yaml").write_text("data: {class_path: datamodules.voc.VOC}")

    @pytest.mark.parametrize("key", ["backbne", "options", "BACKBONE", "class_path"])
    def test_an_unknown_key_is_refused(self, key):
        (self.folder / "choices/mine.yaml").write_text(f"{key}: vit_scenes\n")
        with pytest.raises(DataError, match=rf"choices/mine\.yaml: {key}: no choice has this name; `mars run --help`"):
            chosen(data="mine")

    def test_data_may_say_where_they_lie_and_which_features_they_take(self):
        (self.folder / "choices/mine.yaml").write_text("data_root: /disk/mine\nuss: leopart\ngamma: {leopart: 2.5}\n")
        found = chosen(data="mine")
        assert (found.data_root, found.uss, found.gamma) == ("/disk/mine", "leopart", 2.5)
        assert found.backbone == "vit_small_patch16_dino", "what Leopart prefers"
        assert chosen(data="mine", uss="stego").gamma is None

    def test_a_method_of_ones_own_needs_its_labels_yaml(self):
        with pytest.raises(DataError, match=r"wsss=own: there is no configs/wsss/own_labels\.yaml; there are advcam, "):
            chosen(data="voc", wsss="own")
        (self.folder / "wsss/own_labels.yaml").write_text("model: {}")
        assert chosen(data="voc", wsss="own").wsss == "own"


def test_a_folder_of_the_data_goes_before_its_namesake_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = chosen(data="voc", data_root="root")
    assert found.place("masks") == Path("root/masks"), "there is neither"
    (tmp_path / "masks").mkdir()
    assert found.place("masks") == Path("masks")
    (tmp_path / "root/masks").mkdir(parents=True)
    assert found.place("masks") == Path("root/masks")
    assert found.place(str(tmp_path / "masks")) == tmp_path / "masks"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ({}, "voc"),
        ({"trainer": "ddp", "seed": "0", "data_root": "data/voc"}, "voc"),
        ({"wsss": "irn", "uss": "leopart"}, "voc-irn-leopart"),
        ({"size": "small"}, "voc-small-stego_vit_small"),
        ({"size": "full"}, "voc"),
        ({"uss": "leopart", "backbone": "vit_base_patch8_dino"}, "voc-leopart-vit_base_patch8_dino"),
        ({"seed": "1"}, "voc-seed1"),
        ({"segment_seed": "2"}, "voc-segmenter2"),
        ({"alpha": ".3", "trainer": "gpu"}, "voc-alpha0.3-gpu"),
        ({"data_root": "other/place"}, "voc-data_root_other_place"),
        ({"where_truth": "true", "network_split": "test set"}, "voc-network_split_test_set-where_truthTrue"),
        ({"also": "baseline"}, "voc"),
    ],
)
def test_a_run_is_called_after_what_was_chosen_otherwise(words, name):
    assert run_name(read_choices({"data": "voc"} | words, {})) == name


def test_settings_of_single_stages_are_in_a_runs_name_too():
    found = read_choices({"data": "voc"}, {"segment.model.lr": ".1", "debias-labels.writer.exponent": "2"})
    assert run_name(found) == "voc-debias-labels.writer.exponent_2-segment.model.lr_.1"
    long = read_choices({"data": "voc"}, {"segment.model.lr": "1" * 300})
    assert len(run_name(long)) < 240 and run_name(long) != run_name(
        read_choices({"data": "voc"}, {"segment.model.lr": "1" * 301})
    )
