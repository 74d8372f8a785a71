"""`mars sweep` with a script in place of `mars`: what is made, what is shared, what is written down."""

import csv
import json
import shutil
from collections import Counter
from contextlib import chdir

import pytest
import yaml

from datamodules.errors import DataError
from mars_pl.commands.report.run import open_run
from mars_pl.commands.report.sweep import read_sweeps
from mars_pl.commands.sweep import command
from mars_pl.commands.sweep.grid import DEBIAS_STAGES, NETWORK_STAGES, SWEPT
from tests.pipeline.tiny_run import REPOSITORY

GRID = ("alpha=.2,.4", "background_clusters=1..2")


def sweep(house, *words, run="voc"):
    """Run `mars sweep` in a house; return the names of what was made."""
    (house.folder / "calls").unlink(missing_ok=True)
    with chdir(house.folder):
        assert command.main([run, *words]) == 0
    return [call.name for call in house.calls()]


def test_each_point_makes_its_centroids_and_labels_and_all_share_the_rest(made, capsys):
    ran = Counter(sweep(made, *GRID))
    assert ran == {"debias-centroids": 5, "debias-labels": 4, "row debiased": 4}
    centroids = [call for call in made.calls() if call.name == "debias-centroids"]
    assert centroids[0].after("--writer.init_args.features") == "features"
    assert any("backbone" in word for word in centroids[0].words)
    stored = f"runs/stages/{centroids[0].folder}/features"
    for call in made.calls()[1:]:
        if call.words[0] == "predict":
            assert call.after("--data.init_args.feature_folder") == stored
            assert "uss/stored_features.yaml" in call.yamls()
            assert not any("backbone" in word for word in call.words), "the network is asked once"
    alphas = [call.after("--writer.init_args.alpha") for call in centroids[1:]]
    clusters = [call.after("--model.init_args.background_clusters") for call in centroids[1:]]
    assert list(zip(alphas, clusters, strict=True)) == [("0.2", "1"), ("0.2", "2"), ("0.4", "1"), ("0.4", "2")]
    said = capsys.readouterr().out
    assert "13 of 17 stages made" in said and "share wsss-classifier, wsss-labels, uss-neighbours, uss-fit" in said
    assert sweep(made, *GRID) == [] and "every stage was there" in capsys.readouterr().out
    assert sweep(made, "alpha=.2,.6", "background_clusters=2") == ["debias-centroids", "debias-labels", "row debiased"]


def test_what_the_points_came_to_is_written_down(made):
    sweep(made, *GRID)
    run = open_run(str(made.folder / "runs/voc"))
    [told] = read_sweeps(run)
    assert told["of"] == run.stage("debias-labels").resolve().name
    assert told["settings"] == {"alpha": [0.2, 0.4], "background_clusters": [1, 2]}
    assert told["start"]["debiased"]["miou"] == 0.5
    assert [point["settings"] for point in told["points"]][1] == {"alpha": 0.2, "background_clusters": 2}
    made_for = {"debias-centroids", "debias-labels"}
    assert all(point["debiased"]["fp"] == 0.3 and point["seconds"].keys() == made_for for point in told["points"])
    with (made.folder / "runs/voc/sweep.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 4 and lines[0]["alpha"] == "0.2" and lines[0]["debiased/miou"] == "0.5"


def test_another_sweep_stands_beside_it_and_the_same_takes_its_place(made):
    sweep(made, *GRID)
    sweep(made, "gamma=1,2")
    sweep(made, "background_clusters=3", "alpha=.2,.4")
    path = made.folder / "runs/voc/sweep.json"
    swept = [one["settings"] for one in json.loads(path.read_text())["sweeps"]]
    assert swept == [{"gamma": [1.0, 2.0]}, {"background_clusters": [3], "alpha": [0.2, 0.4]}]
    content = json.loads(path.read_text())
    for one in content["sweeps"]:
        one["of"] = "debias-labels-of-earlier-choices"
    path.write_text(json.dumps(content))
    sweep(made, "gamma=1,2")
    assert len(read_sweeps(open_run(str(path.parent)))) == 1


def test_with_networks_each_point_has_its_own(made, capsys):
    ran = Counter(sweep(made, "alpha=.2,.4", "--networks"))
    assert ran == {
        "debias-centroids": 3, "debias-labels": 2, "row debiased": 2, "segment mars": 2, "segment-masks mars": 2,
        "row final": 2,
    }  # fmt: skip
    [told] = read_sweeps(open_run(str(made.folder / "runs/voc")))
    assert told["points"][0]["final"]["miou"] == 0.5 and {*NETWORK_STAGES} < told["points"][0]["seconds"].keys()
    assert "final" in capsys.readouterr().out


def test_with_rounds_each_point_is_scored_by_its_last(made):
    made.run("rounds=2")
    ran = Counter(sweep(made, "alpha=.2,.4", "--networks", run="voc-rounds2"))
    assert ran["segment mars"] == ran["segment mars-round2"] == ran["row final"] == 2
    assert ran["segment-masks mars-round2"] == 2 and "segment-masks mars" not in ran


def test_labels_finer_than_the_stored_features_ask_the_network(made):
    made.run("shifts=2")
    sweep(made, "alpha=.2,.4", run="voc-shifts2")
    labels = [call for call in made.calls() if call.name == "debias-labels"]
    assert labels and all(call.after("--model.init_args.feature_extractor.init_args.shifts") == "2" for call in labels)
    assert all(call.after("--data.init_args.feature_folder") is None for call in labels)


def test_a_plan_makes_nothing(made, capsys):
    assert sweep(made, *GRID, "-n", "--commands") == []
    said = capsys.readouterr().out
    assert "4 of 17 stages are finished" in said and "--writer.init_args.alpha 0.4" in said
    assert not (made.folder / "runs/voc/sweep.json").exists()


def test_a_point_that_fails_ends_the_sweep_and_the_rest_goes_on_next_time(made):
    made.says("fail", "debias-labels")
    with pytest.raises(DataError, match=r"debias-labels: its command ended with exit code 3"):
        sweep(made, *GRID)
    assert not (made.folder / "runs/voc/sweep.json").exists()
    made.behaves()
    assert "debias-labels" in sweep(made, *GRID)


def test_a_sweep_makes_no_classifier_and_no_network_of_features_again(made):
    [fit] = made.stages("uss-fit")
    fit.rename(fit.with_name("elsewhere"))
    with pytest.raises(DataError, match=r"runs/voc: its uss-fit is not made, or not as the settings are now"):
        sweep(made, *GRID)


def test_a_setting_that_another_one_overrules_is_refused(made):
    made.run("run=told", "debias-centroids.writer.alpha=.3")
    with pytest.raises(DataError, match=r"alpha=0.2 and alpha=0.4 are the same: a setting that this run was told"):
        sweep(made, "alpha=.2,.4", run="told")


def test_a_setting_that_its_stage_does_not_take_is_refused(made):
    with pytest.raises(DataError, match=r"debias-labels.writer.exponents: DebiasedLabelWriter takes no exponents"):
        sweep(made, "debias-labels.writer.exponents=1,2")


def test_without_truth_there_is_nothing_to_measure_with(made):
    shutil.rmtree(made.root / "SegmentationClass")
    with pytest.raises(DataError, match=r"SegmentationClass: no true masks to measure a sweep with"):
        sweep(made, *GRID)


def test_a_run_of_elsewhere_or_of_another_version_is_refused(made, tmp_path):
    shutil.copytree(made.folder / "runs/voc", tmp_path / "voc", symlinks=True)
    with pytest.raises(DataError, match=r"voc: is no run of runs/ here"):
        sweep(made, *GRID, run=str(tmp_path / "voc"))
    path = made.folder / "runs/voc/run.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"choices": manifest["choices"] | {"colour": "red"}}))
    with pytest.raises(DataError, match=r"run.json: no choice has the name colour"):
        sweep(made, *GRID)
    path.write_text(json.dumps(manifest | {"choices": None}))
    with pytest.raises(DataError, match=r"run.json: it tells no choices"):
        sweep(made, *GRID)


def test_the_file_for_weights_and_biases_sweeps_what_can_be_swept():
    swept = yaml.safe_load((REPOSITORY / "configs/sweeps/mars.yaml").read_text())["parameters"]
    names = [name for name, values in swept.items() if "values" in values]
    assert all(name in SWEPT or name.partition(".")[0] in (*DEBIAS_STAGES, *NETWORK_STAGES) for name in names)
