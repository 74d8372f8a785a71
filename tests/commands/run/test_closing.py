"""What follows the stages: an archive for the server, images for a dashboard."""

import json

import pytest

from datamodules.errors import DataError


def test_the_servers_masks_leave_the_run_as_it_is(made, closed, stub):
    (made.root / "ImageSets/Segmentation/test.txt").write_text("2007_000004\n")
    before = (made.folder / "runs/voc/run.json").read_text()
    assert made.run("server") == ["segment-masks mars"]
    assert made.call("segment-masks mars").after("--data.init_args.predict_split") == "test"
    assert (made.folder / "runs/voc/run.json").read_text() == before and stub == []
    masks = f"runs/stages/{made.call('segment-masks mars').folder}"
    files = ["--list", "data/voc/ImageSets/Segmentation/test.txt", "--images", "data/voc/JPEGImages"]
    archive = "runs/voc/results-test.tar.gz"
    assert closed == [
        ["convert", "export", "voc-server", masks, archive, "--split", "test", *files],
        ["check", "archive", archive, *files],
    ]
    assert made.run("server", "server_split=val") == [], "scored before"


def test_the_servers_masks_are_those_of_the_last_round(made, closed):
    (made.root / "ImageSets/Segmentation/test.txt").write_text("2007_000004\n")
    assert made.run("server", "rounds=2")[-1] == "segment-masks mars-round2"


def test_overlays_validate_the_final_network_with_every_label_folder(made):
    assert made.run("overlays", "encoder=resnet18")[-1] == "overlays"
    call, fit = made.call("overlays"), made.call("segment mars")
    assert call.yamls()[-1] == "trainer/wandb.yaml" and not any("predictions" in name for name in call.yamls())
    assert call.after("--data.init_args.validate_split") == "train"
    assert call.after("--model.init_args.weights") == f"runs/stages/{fit.folder}/weights.safetensors"
    assert call.after("--model.init_args.network.init_args.encoder") == "resnet18"
    assert call.after("--trainer.callbacks.init_args.count") == "24"
    folders = json.loads(call.after("--trainer.callbacks.init_args.folders"))
    assert list(folders) == ["Yᵇ", "Yᵈᵇ", "Yᶜᵒ"] and all((made.folder / path).is_dir() for path in folders.values())
    made.says("code", "4")
    with pytest.raises(DataError, match="overlays: the validation ended with exit code 4"):
        made.run("overlays", "encoder=resnet18")
