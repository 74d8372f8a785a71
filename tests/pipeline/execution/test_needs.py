"""All that the stages which are still to be made will miss is named at once, before anything runs."""

import pytest

from datamodules.errors import DataError
from mars_pl.pipeline.execution import needs


def missing(house, capsys, *words):
    """Return the lines that were said; nothing has run."""
    capsys.readouterr()
    with pytest.raises(DataError) as caught:
        house.run(*words)
    assert house.calls() == []
    if " weights are neither here nor to be had: " in str(caught.value):
        assert str(caught.value).endswith("; nothing has run")
        return str(caught.value).partition(": ")[2].partition("; ")[0].split(", ")
    lines = [line.removeprefix("missing: ") for line in capsys.readouterr().err.splitlines()]
    if lines:
        assert str(caught.value) == f"{len(lines)} things are missing, named above; nothing has run"
    return lines or [str(caught.value)]


def own_backbone(house, name="mine.safetensors"):
    house.yaml("backbone/mine").write_text(f"class_path: x.Y\ninit_args: {{name: vit, weights: {name}}}\n")


def test_weights_are_looked_for_here_and_where_weights_lie(house, capsys):
    own_backbone(house)
    lines = missing(house, capsys, "backbone=mine")
    assert lines == [
        "model.init_args.backbone.init_args.weights: mine.safetensors: no such weights here or in weights/; "
        "`mars weights fetch` with the same words brings them where there is a network; weights= and HF_HOME name "
        "folders that have them"
    ], "named once, though several stages read it"
    assert "no such weights here or in else where/" in missing(house, capsys, "backbone=mine", "weights=else where")[0]
    (house.folder / "else where").mkdir()
    (house.folder / "else where/mine.safetensors").write_bytes(b"weights")
    assert "uss-fit" in house.run("backbone=mine", "weights=else where")


def test_the_folder_of_weights_reaches_the_commands(house, monkeypatch):
    stub = house.folder / "stub/mars"
    stub.write_text(stub.read_text().replace("while (($#))", 'echo "$MARS_WEIGHTS" > weights_folder\nwhile (($#))'))
    house.run("wsss-classifier", "weights=over there")
    assert (house.folder / "weights_folder").read_text() == "over there\n"


def test_a_missing_list_is_named_with_those_there_are(house, capsys):
    (line,) = missing(house, capsys, "network_split=vla")
    assert line == (
        "data/voc/ImageSets/Segmentation/vla.txt: no such list; write it, or name one of all, train, train_aug, val"
    )


def test_masks_of_full_supervision_are_asked_for_by_the_gap_alone(house, capsys):
    (house.root / "SegmentationClassAug").rename(house.folder / "gone")
    (line,) = missing(house, capsys, "gap")
    assert line.startswith("data.label_folder: data/voc/SegmentationClassAug: no such folder; segment reads it; put it")
    house.run()


def test_the_crf_is_asked_for_where_a_stage_refines_with_it(house, capsys, monkeypatch):
    find = needs.find_spec
    monkeypatch.setattr(needs, "find_spec", lambda name: None if name == "pydensecrf" else find(name))
    lines = missing(house, capsys)
    assert lines == [
        "mars_pl.refine.dense_crf.DenseCRF: the dense CRF needs the package pydensecrf; "
        "pip install 'mars-pl[crf]', or take mars_pl.refine.torch_crf.TorchDenseCRF, the same in plain PyTorch"
    ], "named once, though several stages need it"
    house.run("wsss-classifier")


def test_networks_of_another_package_are_asked_for(house, capsys, monkeypatch):
    monkeypatch.setattr(needs, "find_spec", lambda name: None if name.startswith("segmentation_models") else object())
    (line,) = missing(house, capsys, "segmenter=smp_unet")
    assert "needs the package segmentation_models_pytorch; pip install segmentation-models-pytorch" in line


def test_everything_is_named_at_once(house, capsys, monkeypatch):
    own_backbone(house)
    (house.root / "SegmentationClassAug").rename(house.folder / "gone")
    monkeypatch.setattr(needs, "find_spec", lambda name: None)
    monkeypatch.setattr(needs, "_to_be_had", lambda name: False)
    lines = missing(house, capsys, "gap", "backbone=mine", "network_split=vla", "train_split=other")
    for said in ("mine.safetensors", "SegmentationClassAug", "pydensecrf", "vla.txt", "other.txt", "timm's weights of"):
        assert any(said in line for line in lines), said
    assert len(set(lines)) == len(lines)


def test_nothing_is_asked_for_stages_that_are_finished(house, capsys, monkeypatch):
    own_backbone(house)
    weights = house.folder / "mine.safetensors"
    weights.write_bytes(b"weights")
    house.run("backbone=mine")
    monkeypatch.setattr(needs, "_to_be_had", lambda name: False)
    monkeypatch.setattr(needs, "find_spec", lambda name: None)
    assert house.run("backbone=mine") == []
    lines = missing(house, capsys, "backbone=mine", "segment-masks.model.flip=false")
    assert all("pydensecrf" in line for line in lines), "the fit is there, which knew ImageNet's weights"


class TestHub:
    """Weights of timm's hub: those at hand are enough, others are asked for unless we are offline."""

    @pytest.fixture(autouse=True)
    def hub(self, stub, monkeypatch):
        import huggingface_hub

        self.asked, self.cached = [], set()
        monkeypatch.setattr(needs, "_to_be_had", to_be_had)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(
            huggingface_hub,
            "try_to_load_from_cache",
            lambda repository, file: "a file" if repository in self.cached else None,
        )
        monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", self.ask)
        self.offline = lambda: monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    def ask(self, url, timeout):
        self.asked.append(url)
        if "resnet" in url:
            raise OSError("no route to host")

    def test_what_is_not_to_be_had_is_named_in_one_line(self, house, capsys):
        assert missing(house, capsys) == ["timm's resnet50.tv_in1k", "timm's resnet101.tv_in1k"]

    def test_one_is_named_with_its_setting_and_its_remedy(self, house, capsys):
        (line,) = missing(house, capsys, "wsss-classifier")
        assert line.startswith("model.init_args.network.init_args.pretrained: timm's weights of resnet50.tv_in1k are ")
        assert "`mars weights fetch` with the same words" in line and "HF_HOME" in line

    def test_what_is_at_hand_is_not_asked_for(self, house):
        self.offline()
        self.cached = Everything()
        assert house.run() and self.asked == []

    def test_offline_nobody_is_asked(self, house, capsys):
        self.offline()
        assert len(missing(house, capsys)) == 3 and self.asked == []


class Everything:
    def __contains__(self, item):
        return True


to_be_had = needs._to_be_had
