"""The stages up to the debiased labels, by the real command with the shipped YAMLs, on eight images."""

import csv
import json

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from mars_pl.cli.main import main
from tests.callbacks.writing.candidates.tables import foreground
from tests.pipeline.stages.stage_outputs import BIASED, codes, config, ids, labels, shown
from tests.pipeline.tiny_run import REPOSITORY, TinyRun


def test_a_classifier_learns_and_leaves_its_weights_and_checkpoint(tiny_run):
    fit = tiny_run.get("cam/wsss-classifier")
    written = {str(path.relative_to(fit)) for path in fit.rglob("*") if path.is_file()}
    assert written >= {"weights.safetensors", "checkpoints/last.ckpt", "fit.yaml", "metrics.csv"}
    assert sorted(path.name for path in (fit / "checkpoints").iterdir()) == ["last.ckpt", "previous-last.ckpt"]
    weights = load_file(fit / "weights.safetensors")
    assert weights["classifier.weight"].shape[0] == 20
    assert all(torch.isfinite(value).all() for value in weights.values())
    losses = [float(row["train/loss"]) for row in csv.DictReader((fit / "metrics.csv").open()) if row.get("train/loss")]
    assert all(np.isfinite(losses))


def test_the_configuration_is_kept_as_it_was_run(tiny_run):
    found = config(tiny_run.get("cam/wsss-classifier"), "fit")
    network = found["model"]["init_args"]["network"]["init_args"]
    assert (network["backbone"], network["pretrained"]) == ("test_resnet", False)  # the later file
    assert found["model"]["init_args"]["lr"] == 0.1  # the shipped one
    assert found["data"]["init_args"]["root"] == "data/voc"  # the command line
    assert found["trainer"]["accelerator"] == "cpu" and found["seed_everything"] == 0


def test_pseudo_labels_hold_background_and_the_classes_of_their_image(tiny_run):
    folder = tiny_run.get("wsss-labels")
    for name in ("mars", "baseline"):
        found = labels(tiny_run, folder / name)
        for image_id, label in found.items():
            assert codes(label) <= {0, *shown(tiny_run)[image_id]}
    assert {code for label in found.values() for code in codes(label)} >= {0, 1, 2}


def test_the_sweep_is_counted_on_the_images_with_truth_and_nothing_is_chosen_by_it(tiny_run, tmp_path):
    folder = tiny_run.get("wsss-labels")
    sweep = json.loads((folder / "sweep.json").read_text())
    shipped = yaml.safe_load((REPOSITORY / "configs/wsss/cam_labels.yaml").read_text())
    writer = shipped["writer"]["init_args"]
    assert [row["background"] for row in sweep["scores"]] == writer["sweep"]
    assert sweep["background_scores"] == writer["background_scores"]
    assert sweep["images"] == 6 and sweep["refinement"] == "crf"
    truth, measured = tiny_run.house / "data/voc/SegmentationClass", tmp_path / "row.json"
    with_truth = [path.stem for path in sorted((folder / "mars").glob("*.png")) if (truth / path.name).is_file()]
    (tmp_path / "list.txt").write_text("\n".join(with_truth))
    for output, score in writer["background_scores"].items():
        words = [str(folder / output), str(truth), "--data", "voc", "--list", str(tmp_path / "list.txt")]
        assert main(["evaluate", *words, "--json", str(measured)]) == 0
        row, swept = json.loads(measured.read_text()), {entry["background"]: entry for entry in sweep["scores"]}[score]
        assert {key: row[key] for key in ("miou", "fp", "fn")} == pytest.approx(
            {key: swept[key] for key in ("miou", "fp", "fn")}
        ), "the labels at a score are as good as the sweep says"


def test_predictions_are_not_kept_in_memory(tiny_run):
    assert config(tiny_run.get("wsss-labels"), "predict")["return_predictions"] is False


def test_neighbours_and_tokens_of_thirty_crops(tiny_run):
    folder = tiny_run.get("uss-neighbours")
    neighbours = load_file(folder / "neighbours.safetensors")["neighbours"]
    assert neighbours.shape == (30, 30)
    assert torch.equal(neighbours[:, 0], torch.arange(30))
    assert all(len(set(row)) == 30 for row in neighbours.tolist())
    tokens = np.load(folder / "tokens.npy", mmap_mode="r")
    assert tokens.dtype == np.float16 and tokens.shape == (30, 64, 4, 4)
    assert np.abs(tokens.astype(np.float32)).max(axis=(1, 2, 3)).min() > 0


def test_stego_learns_from_tokens_and_from_images_alike(tiny_run):
    head = load_file(tiny_run.get("uss-fit") / "weights.safetensors")
    assert head["linear.weight"].shape == (70, 64, 1, 1)
    (tiny_run.house / "no_tokens.yaml").write_text("data: {init_args: {training_set: {init_args: {tokens: null}}}}")
    folder = tiny_run.another("uss-fit", "runs/from_images", "-c", "no_tokens.yaml")
    again = load_file(folder / "weights.safetensors")
    # stored tokens are float16
    assert all(torch.allclose(head[name], again[name], atol=2e-3) for name in head)


def test_centroids_come_with_every_candidate(tiny_run):
    folder = tiny_run.get("debias-centroids")
    vectors = load_file(folder / "centroids.safetensors")
    assert vectors["centroids"].shape == (21, 70)
    rows = foreground(folder)
    assert rows and set(rows[0]) == {"id", "class", "cluster", "pixels", "distance", "selected", "iou", "vector"}
    assert {row["id"] for row in rows} <= set(ids(tiny_run, "train_aug"))
    assert not list(folder.glob("*.part"))
    with_centroid = {index for index in range(21) if vectors["centroids"][index].any()}
    assert with_centroid and with_centroid <= {0, 1, 2, 3}


def test_stored_features_give_the_labels_without_the_network(tiny_run):
    """The rest of the choices is the same, so both runs share the stages up to the features."""
    stored = TinyRun(tiny_run.house, "features=true")
    for needed in ("wsss-labels", "uss-fit"):
        tiny_run.get(needed)
    centroids, plain = stored.get("debias-centroids"), tiny_run.get("debias-centroids")
    assert (centroids / "centroids.safetensors").read_bytes() == (plain / "centroids.safetensors").read_bytes()
    files = sorted((centroids / "features").glob("*.npy"))
    assert [path.stem for path in files] == sorted(ids(tiny_run, "train_aug"))
    assert all(np.load(path).dtype == np.float16 and len(np.load(path)) == 70 for path in files)
    words = stored.words("debias-labels")
    assert not [word for word in words if "backbone" in word or "features_stego" in word]
    before, after = labels(tiny_run, tiny_run.get("debias-labels")), labels(tiny_run, stored.get("debias-labels"))
    changed = [float((before[name] != after[name]).mean()) for name in before]
    assert max(changed) < 0.01, "half precision moves hardly a pixel"


def test_a_lost_feature_file_is_named(tiny_run, capfd):
    stored = TinyRun(tiny_run.house, "features=true")
    folder = stored.get("debias-centroids") / "features"
    some = sorted(folder.glob("*.npy"))[0]
    words = [*stored.words("debias-labels"), "--trainer.default_root_dir", "runs/lost"]
    some.rename(some.with_suffix(".away"))
    assert stored.run(words) == 1
    some.with_suffix(".away").rename(some)
    assert f"{some.name}: no such features; make the centroids again" in capfd.readouterr().err


def removed_only(before, after):
    return all(((after[name] == BIASED) | (after[name] == before[name])).all() for name in before)


@pytest.fixture(scope="module", params=["crf", "none"])
def debiased(tiny_run, request):
    if request.param == "crf":
        return tiny_run.get("debias-labels")
    bare = ("--writer.init_args.refine", "null")
    return tiny_run.another("debias-labels", "runs/bare", *bare)


def test_debiased_labels_differ_from_pseudo_labels_by_biased_object_pixels_only(tiny_run, debiased):
    before = labels(tiny_run, tiny_run.get("wsss-labels") / "mars")
    after = labels(tiny_run, debiased)
    assert removed_only(before, after)
    assert all((before[name][after[name] == BIASED] > 0).all() for name in before)
    removed = json.loads((debiased / "removed.json").read_text())
    assert removed["images"] == 6
    assert removed["pixels_removed"]["all"] == sum((label == BIASED).sum() for label in after.values()) > 0
    assert removed["pixels"]["all"] == sum((label > 0).sum() for label in before.values())
    similarity = list((debiased / "similarity").glob("*.png"))
    assert len(similarity) == 6


def test_a_probe_that_the_debiased_labels_have_taught_debiases_the_pseudo_labels_anew(tiny_run):
    probed = TinyRun(tiny_run.house, "debias=labels_probed")
    for shared in ("wsss-labels", "uss-fit", "debias-labels"):
        assert probed.path(shared) == tiny_run.path(shared), "the paper's labels are made once for both"
        tiny_run.get(shared)
    probe = probed.get("debias-probe")
    assert len(load_file(probe / "probe.safetensors")["weight"]) == 2 * 64, "two blocks' tokens, not STEGO's code"
    assert json.loads((probe / "probe.json").read_text())["images"] == 6
    folder = probed.get("debias-probed")
    model, writer = (config(folder, "predict")[part] for part in ("model", "writer"))
    assert model["class_path"].endswith("ProbedMapModule") and writer["init_args"]["exponent"] == 4
    assert writer["init_args"]["refine"]["class_path"].endswith("DenseCRF"), "the refinement is that of Eq. 5's labels"
    before = labels(tiny_run, tiny_run.get("wsss-labels") / "mars")
    assert removed_only(before, labels(tiny_run, folder))
    row = json.loads((probed.get("row/debiased") / "row.json").read_text())
    assert row["split"] == "train" and 0 <= row["kept"] <= 1


def test_rows_of_the_labels(tiny_run):
    rows = {}
    for name in ("pseudo", "pseudo-baseline", "debiased", "complemented"):
        rows[name] = json.loads((tiny_run.get(f"row/{name}") / "row.json").read_text())
        assert (rows[name]["split"], rows[name]["images"]) == ("train", 4)
    assert rows["pseudo"]["kept"] == 1
    assert rows["debiased"]["kept"] <= 1
    assert rows["debiased"]["fp"] <= rows["pseudo"]["fp"], "a removal makes no false positive"
