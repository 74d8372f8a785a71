"""What a target makes: demo, gap, methods, server, overlays, one stage; rows only where there is truth."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from datamodules.errors import DataError
from mars_pl.commands.run.words import chosen_by
from tests.commands.run.names import BASELINE, PAPER, ROWS

SUPERVISED = ["segment supervised", "segment-masks supervised", "row supervised"]

DEPTHS = "backbone.init_args.depths"


def rows_of(house, run):
    return list(json.loads((house.folder / "runs" / run / "run.json").read_text())["rows"])


def test_a_gap_adds_full_supervision_and_is_printed(made, closed):
    assert made.run("gap") == SUPERVISED
    assert rows_of(made, "voc") == [*ROWS, "supervised"]
    assert closed == [["gap", "runs/voc", "--row", "final"]]
    fit = made.run("gap", "segment.model.lr=.5") and made.call("segment supervised")
    assert fit.after("--data.init_args.label_folder") == str(made.root / "SegmentationClassAug")


def test_a_mask_that_only_full_supervision_learns_from_reruns_it_alone(made, closed):
    made.run("gap")
    shutil.copy(made.root / "SegmentationClassAug/2007_000001.png", made.root / "SegmentationClassAug/2007_000002.png")
    (made.root / "SegmentationClassAug/2007_000002.png").touch()
    assert made.run("gap") == SUPERVISED


def test_each_seed_is_a_run_and_each_seed_of_the_segmenter_rows_of_its_own(made, closed):
    ran = Counter(made.run("gap", "seeds=0,1", "segment_seeds=0,1", "also=debiased"))
    assert ran["wsss-classifier"] == ran["debias-labels"] == 1, "of seed 1; the segmenter's seeds share them"
    assert ran["segment debiased"] == 4
    assert ran["segment supervised"] == 2, "it learns no labels of the run's seed"
    assert ran["segment mars"] == ran["segment baseline"] == 3, "that of seed 0 is there"
    rows = ["baseline", "final", "debiased-network", "supervised"]
    for run, other in (("voc", 1), ("voc-seed1", 0)):
        assert set(rows_of(made, run)) == {*ROWS, *rows, *(f"{row}-seed{other}" for row in rows)}
    assert closed == [["gap", "runs/voc", "runs/voc-seed1", "--row", row] for row in ("final", "debiased-network")]
    links = {path.name: path.resolve().name for path in (made.folder / "runs/voc").iterdir() if path.is_symlink()}
    assert {"segment-masks-baseline-seed1", "segment-final-seed1", "segment-masks-final-seed1"} <= set(links)
    assert len(set(links.values())) == len(links), "what the seeds share is linked once"
    assert made.run("gap", "seeds=0,1", "segment_seeds=0,1", "also=debiased") == []


def test_the_runs_own_seed_is_measured_beside_those_of_the_segmenter(house, closed):
    house.run("gap", "segment_seeds=1,2")
    measured = rows_of(house, "voc")
    assert {f"supervised{suffix}" for suffix in ("", "-seed1", "-seed2")} <= set(measured)


LATER = [
    *(f"{stage} mars-round2" for stage in ("segment-labels", "segment", "segment-masks")),
    *(f"{stage} baseline-round2" for stage in ("segment-labels", "segment", "segment-masks")),
]


def test_a_later_round_learns_the_masks_of_the_one_before_and_the_baseline_goes_the_same_way(made, closed):
    rows = ["labels-final-round2", "final-round2", "labels-baseline-round2", "baseline-round2"]
    assert set(made.run("gap", "rounds=2")) == {*LATER, *SUPERVISED, *(f"row {row}" for row in rows)}
    assert set(rows_of(made, "voc-rounds2")) == {*ROWS, "supervised", *rows}
    assert closed == [["gap", "runs/voc-rounds2", "--row", row] for row in ("final", "final-round2")]
    links = {path.name: path.resolve() for path in (made.folder / "runs/voc-rounds2").iterdir() if path.is_symlink()}
    fit = made.call("segment mars-round2")
    assert made.folder / fit.after("--data.init_args.label_folder") == links["segment-labels"]
    labels = made.call("segment-labels mars-round2")
    assert made.folder / labels.after("--model.init_args.weights") == links["segment"] / "weights.safetensors"
    assert "configs/train/baseline.yaml" in " ".join(fit.words)
    assert "configs/rounds/labels.yaml" in " ".join(labels.words)
    baseline = made.call("segment-labels baseline-round2")
    learnt = [Path(call.after("--data.init_args.label_folder")).name for call in (labels, baseline)]
    assert learnt[0].startswith("debias-labels-") and learnt[1] == "baseline", "what the round before learnt"
    assert made.run("gap", "rounds=2") == []


def test_a_later_round_mixes_every_image_where_the_run_mixes(made, closed):
    made.run("gap", "rounds=2", "mixing=true")
    shares = {call.name: "configs/rounds/mixing.yaml" in " ".join(call.words) for call in made.calls()}
    fits = {name for name in shares if name.startswith("segment ")}
    assert {name for name in shares if shares[name]} == {"segment mars-round2", "segment baseline-round2"} < fits
    assert all("configs/mixing/objects.yaml" in " ".join(made.call(name).words) for name in fits)
    own = made.run("gap", "rounds=2", "mixing=true", "segment.model.mixing.share=.75")
    assert {made.call(name).after("--model.init_args.mixing.init_args.share") for name in fits & set(own)} == {".75"}


def test_every_round_has_a_link_of_its_own_and_dhr_learns_the_whole_masks(made, closed):
    made.run("gap", "rounds=3", "also=dhr", "segment_seeds=0,1")
    run = made.folder / "runs/voc-rounds3"
    links = {path.name: path.resolve().name for path in run.iterdir() if path.is_symlink()}
    labels = [name for name in links if name.startswith("segment-labels")]
    # two rounds of MARS and of the baseline and DHR's, of two seeds
    assert len(labels) == len({links[name] for name in labels}) == 10
    said = {call.name: call.after("--writer.init_args.least_share") for call in made.calls()}
    assert said["segment-labels mars"] == "0"
    assert said["segment-labels mars-round2"] is said["segment-labels baseline-round3"] is None


@pytest.mark.parametrize(
    ("words", "labels"), [([], "segment-labels"), (["dhr_labels=complemented"], "segment-complemented")]
)
def test_dhr_learns_what_mars_network_made_and_reads_the_pixel_features(made, closed, words, labels):
    assert "row dhr" in made.run("gap", "also=dhr", *words)
    fit = made.call("segment dhr")
    folder = Path(fit.after("--data.init_args.label_folder"))
    assert folder.name.startswith(f"{labels}-voc-mars")
    assert "configs/train/dhr.yaml" in " ".join(fit.words) and "configs/uss/features_stego.yaml" in " ".join(fit.words)
    weights = fit.after("--model.init_args.feature_extractor.init_args.weights")
    assert Path(weights).parent.name.startswith("uss-fit")
    assert [words[-1] for words in closed] == ["final", "dhr"]


def test_a_setting_may_be_for_one_training_alone_and_goes_before_the_others(made, closed):
    made.run(
        "gap", "also=dhr", "segment.model.lr=.2", "segment-dhr.model.rebalancing.mass=label", "segment-dhr.model.lr=.1"
    )
    dhr, mars, supervised = (made.call(f"segment {name}") for name in ("dhr", "mars", "supervised"))
    assert [call.after("--model.init_args.lr") for call in (dhr, mars, supervised)] == [".1", ".2", ".2"]
    assert dhr.after("--model.init_args.rebalancing.init_args.mass") == "label"
    assert mars.after("--model.init_args.rebalancing.init_args.mass") is None


def test_what_is_said_of_the_probes_tokens_holds_for_its_map_too(made, closed):
    depths, mirrored = (f"--model.init_args.feature_extractor.init_args.{name}" for name in (DEPTHS, "flip"))
    said = "debias-probe.model.feature_extractor"
    made.run("mars", "debias=labels_probed", f"{said}.backbone.depths=[1.0]", f"{said}.flip=false")
    calls = [made.call(name) for name in ("debias-probe", "debias-probed")]
    assert [(call.after(depths), call.after(mirrored)) for call in calls] == [("[1.0]", "false")] * 2
    assert all("configs/debias/probe_tokens.yaml" in " ".join(call.words) for call in calls)
    made.run("mars", "debias=labels_probed", "debias-probed.model.feature_extractor.flip=false", f"{said}.flip=true")
    assert made.call("debias-probed").after(mirrored) == "false", "what is said of it alone comes first"
    assert made.call("debias-probe").after(mirrored) == "true"
    made.run("mars", "debias=labels_probed", "debias-probe.model.init_args.feature_extractor.init_args.flip=false")
    assert made.call("debias-probed").after(mirrored) == "false", "however it is spelt"


def test_best_is_mars_with_what_did_better_and_words_of_ones_own_come_first(made, closed):
    found = made.run("best")
    assert "debias-labels" not in found and {"debias-probe", "debias-probed", "segment mars_background"} <= set(found)
    assert "configs/mixing/objects.yaml" in " ".join(made.call("segment mars_background").words)
    assert set(rows_of(made, "voc-debias_labels_probed-mars_background-mixingTrue")) == set(ROWS)
    assert made.run("best", "debias=labels", "mixing=false", "train=mars") == []


def test_best_on_scenes_feeds_no_probe_and_has_a_second_round(made, closed):
    chosen = chosen_by("best", "scenes")
    assert chosen == {"debias": "labels_lifted", "train": "mars_background", "mixing": "true", "rounds": "2"}
    found = made.run("best", *(f"{name}={value}" for name, value in chosen.items()))
    assert "debias-labels" in found and "segment mars_background" in found
    assert "configs/debias/labels_lifted.yaml" in " ".join(made.call("debias-labels").words)
    assert "configs/rounds/labels.yaml" in " ".join(made.call("segment-labels mars_background-round2").words)
    later = [f"{row}-round2" for row in ("labels-final", "final", "labels-baseline", "baseline")]
    assert set(rows_of(made, "voc-debias_labels_lifted-mars_background-mixingTrue-rounds2")) == {*ROWS, *later}


def test_no_round_at_all_is_refused(house):
    with pytest.raises(DataError, match="rounds=0: 1, as in the paper, or more"):
        house.run("rounds=0")


def test_a_seed_of_the_segmenter_alone_has_the_usual_rows(made):
    made.run("segment_seed=3")
    assert rows_of(made, "voc-segmenter3") == ROWS


def test_the_gap_is_that_of_the_chosen_training_and_of_one_named_run(house, closed):
    house.run("gap", "train=mars_removal", "also=mars", "run=mine", "seeds=1")
    assert closed == [["gap", "runs/mine", "--row", row] for row in ("final", "mars")]
    assert {*ROWS, "mars", "supervised"} == set(rows_of(house, "mine"))
    assert house.call("row final").after("--note") == "train=mars_removal"
    assert "--note" not in house.call("row mars").words


def test_a_run_about_another_training_than_mars_keeps_the_rows_own_names(made, closed):
    assert "row final" not in made.run("gap", "train=dhr", "also=mars", "run=theirs"), "that of MARS is there"
    assert closed == [["gap", "runs/theirs", "--row", row] for row in ("dhr", "final")]
    assert {"dhr", "final"} <= set(rows_of(made, "theirs"))


def test_rounds_of_the_chosen_training_are_those_of_the_run(made):
    made.run("train=mars_background", "rounds=2", "run=later")
    assert {"final", "final-round2", "labels-final-round2"} <= set(rows_of(made, "later"))


def test_a_gap_needs_truth(house):
    (house.root / "SegmentationClass").rename(house.folder / "gone")
    with pytest.raises(
        DataError, match=r"data/voc/SegmentationClass: no true masks to measure a gap with; truth= says"
    ):
        house.run("gap")


def test_methods_makes_each_pair_once_and_shares_what_it_can(house, closed):
    ran = Counter(house.run("methods", "each_wsss=irn,advcam", "each_uss=stego,backbone"))
    assert ran["uss-fit"] == ran["uss-neighbours"] == 1
    assert ran["wsss-classifier"] == 2, "AdvCAM trains its own"
    assert ran["wsss-scores"] == ran["wsss-propagation"] == ran["wsss-labels"] == ran["segment baseline"] == 2
    assert ran["debias-centroids"] == ran["segment mars"] == ran["row final"] == 4
    runs = ["voc-irn", "voc-irn-backbone", "voc-advcam", "voc-advcam-backbone"]
    assert closed == [["methods", *(f"runs/{run}" for run in runs)]]
    assert all(rows_of(house, run) == ROWS for run in runs)
    assert house.run("methods", "each_wsss=irn,advcam", "each_uss=stego,backbone") == []
    assert house.run("wsss=irn") == [], "a run of one pair shares it all"


@pytest.mark.parametrize(
    ("target", "made_then"),
    [("wsss-classifier", PAPER[:1]), ("uss-fit", PAPER[2:4]), ("debias-labels", PAPER[:6])],
)
def test_one_stage_is_made_with_what_it_reads(house, stub, target, made_then):
    assert house.run(target) == made_then
    assert not (house.folder / "runs/voc").exists() and stub == []


def test_the_target_segment_makes_every_training(house):
    assert house.run("segment") == [*PAPER[:7], "segment baseline"]


def test_rows_only_where_there_is_truth(house):
    truth = house.root / "SegmentationClass"
    truth.rename(house.folder / "truth")
    assert house.run() == PAPER
    assert rows_of(house, "voc") == []
    (house.folder / "truth").rename(truth)
    measured = {"wsss-labels", "debias-centroids"}  # their own figures
    assert set(house.run()) == {*measured, *BASELINE, *(f"row {row}" for row in ROWS)}


def test_a_folder_of_labels_has_no_labels_of_the_baselines_own(house):
    shutil.copytree(house.root / "SegmentationClass", house.folder / "masks")
    ran = house.run("labels=masks")
    assert "row pseudo" in ran and "row pseudo-baseline" not in ran
    masks = str(house.folder / "masks")
    assert house.call("segment baseline").after("--data.init_args.label_folder") == masks
    assert house.call("row pseudo").words[1] == masks


def test_companions_are_measured_where_there_are_some(made):
    shutil.copytree(made.root / "SegmentationClass", made.root / "Companion")
    assert set(made.run()) == {f"row {row}" for row in ROWS}
    assert made.call("row final").after("--companion") == str(made.root / "Companion")
    shutil.copytree(made.root / "Companion", made.folder / "others")
    assert set(made.run("companion=others")) == set(), "the same masks"
    made.run("companion=others", "network_split=train")
    assert made.call("row final").after("--companion") == str(made.folder / "others")


def test_images_without_truth_can_be_left_out(made):
    assert set(made.run("where_truth=true")) == {f"row {row}" for row in ROWS}
    assert "--where-truth" in made.call("row final").words


def test_further_trainings_are_fitted_and_scored(made):
    ran = made.run("also=complement,debiased")
    assert ran == [
        f"{stage} {name}" for name in ("complement", "debiased") for stage in ("segment", "segment-masks")
    ] + [
        "row complement",
        "row debiased-network",
    ]
    assert rows_of(made, "voc") == [*ROWS, "complement", "debiased-network"]
