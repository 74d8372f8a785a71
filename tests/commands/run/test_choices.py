"""Every choice reaches its stages, has folders of its own, and shares the rest with what was made before."""

from contextlib import chdir
from itertools import combinations
from pathlib import Path

import pytest

from mars_pl.commands.run import targets
from mars_pl.commands.run.words import sort_words
from mars_pl.pipeline.choices import read_choices
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.settings.resolved import is_yaml, resolve, without_harmless
from tests.commands.run.names import AFTER_CENTROIDS, AFTER_LABELS, AFTER_USS, BASELINE, EVERY, MARS, PROBED

BASES = {*BASELINE, "row baseline"}
NEIGHBOURS = AFTER_USS | {"uss-neighbours"}
SEGMENTERS = MARS | BASES
TRAINED = ("segment", "segment-masks", "segment-complemented", "row")
MASKS = {"segment-masks mars", "segment-masks baseline", "row final", "row baseline"}

CHOICES = [
    (["uss=backbone"], AFTER_CENTROIDS),
    (["uss=leopart"], AFTER_USS),
    (["backbone=vit_small_patch8_dino"], NEIGHBOURS),
    (["tokens=true"], NEIGHBOURS),
    (["centroids=centroids_minimum"], AFTER_CENTROIDS),
    (["centroids=centroids_two_kinds"], AFTER_CENTROIDS),
    (["alpha=.3"], AFTER_CENTROIDS),
    (["alpha=.4"], set()),  # as the YAML has it
    (["foreground_clusters=3"], AFTER_CENTROIDS),
    (["background_clusters=3"], AFTER_CENTROIDS),
    (["features=true"], AFTER_CENTROIDS),
    (["shifts=2"], AFTER_LABELS),
    (["gamma=3"], AFTER_LABELS),
    (["centroids=centroids_two_kinds", "debias=labels_both_sides"], AFTER_CENTROIDS),
    (["debias=labels_lifted"], AFTER_LABELS),
    (["debias=labels_probed"], PROBED),
    (["debias=labels_probed", "gamma=3"], PROBED | {"debias-labels"}),  # γ of Eq. 4, which teaches it
    (["debias=labels_probed", "shifts=2"], PROBED | {"debias-labels"}),
    (["debias=labels_probed", "uss=leopart"], AFTER_USS | PROBED),
    (["segmenter=deeplabv2_resnet50"], SEGMENTERS),
    (["mixing=true"], SEGMENTERS),
    (["encoder=resnet18"], SEGMENTERS),
    (["train=mars_removal"], {"row complemented", "row final", *(f"{name} mars_removal" for name in TRAINED[:-1])}),
    (["train=dhr"], {"segment-labels mars", "row complemented", *(f"{name} dhr" for name in TRAINED)}),
    (["dhr_labels=complemented"], set()),  # without train=dhr
    (["train=dhr", "dhr_labels=complemented"], {"row complemented", *(f"{name} dhr" for name in TRAINED)}),
    (["segment_seed=1"], SEGMENTERS),
    (["seed=1"], EVERY),
    (["trainer=gpu"], EVERY),
    (["network_split=train"], MASKS),
    (["train_split=val"], {"row pseudo", "row debiased", "row complemented", "row pseudo-baseline"}),
    (["segment.model.lr=.1"], SEGMENTERS),
    (["segment-mars.model.lr=.1"], MARS),
    (["segment.trainer.max_epochs=3"], SEGMENTERS),
    (["debias-labels.writer.exponent=9"], AFTER_LABELS),
    (["labels=masks"], None),
    (["wsss=irn"], None),
    (["wsss=irn", "propagation_from=classifier"], None),
    (["data_root=elsewhere"], None),
]


@pytest.mark.parametrize(
    ("words", "made_anew"),
    [pytest.param(words, made_anew, id=" ".join(words)) for words, made_anew in CHOICES if made_anew is not None],
)
def test_a_choice_makes_its_stages_and_shares_the_rest(made, words, made_anew):
    assert set(made.run(*words)) == made_anew
    assert made.run() == [], "what other choices made is kept"
    assert made.run(*words) == []


def test_two_settings_never_share_a_folder_and_no_two_runs_a_name(house):
    (house.folder / "masks").mkdir()
    house.copied(house.folder.with_name("copy")).root.rename(house.folder / "elsewhere")
    places, found = Places(), {}
    with chdir(house.folder):
        for words, _ in [([], None), *CHOICES]:
            sorted_words = sort_words(["data=voc", *words])
            run = targets.mars(read_choices(sorted_words.choices, sorted_words.options))
            found[run.name] = {places.of(stage).key.name: told(stage, places) for stage in run.every_stage()}
            assert len(found[run.name]) == len(run.every_stage())
    assert len(found) == len(CHOICES) + 1, "a run's name holds every choice"
    for (first, ours), (second, theirs) in combinations(found.items(), 2):
        for folder in set(ours) & set(theirs):
            assert ours[folder] == theirs[folder], (first, second)


def told(stage, places):
    """Everything that a stage is told and changes its results, its inputs by their folders."""
    said = {name: value for name, value in stage.options.items() if not isinstance(value, Path) or is_yaml(value)}
    settings = without_harmless(resolve(stage.yamls, said))
    return [stage.name, stage.seed, settings, [places.of(before).key for before in stage.inputs()]]


@pytest.mark.parametrize(
    ("words", "stage", "flag", "value"),
    [
        (["alpha=.3"], "debias-centroids", "--writer.init_args.alpha", "0.3"),
        (["foreground_clusters=3"], "debias-centroids", "--model.init_args.foreground_clusters", "3"),
        (["background_clusters=5"], "debias-centroids", "--model.init_args.background_clusters", "5"),
        (["shifts=2"], "debias-labels", "--model.init_args.feature_extractor.init_args.shifts", "2"),
        (["gamma=3"], "debias-labels", "--writer.init_args.exponent", "3.0"),
        (["encoder=resnet18"], "segment mars", "--model.init_args.network.init_args.encoder", "resnet18"),
        (["encoder=resnet18"], "segment-masks mars", "--model.init_args.network.init_args.encoder", "resnet18"),
        (["encoder=resnet18"], "segment-complemented mars", "--model.init_args.network.init_args.encoder", "resnet18"),
        (["network_split=train"], "segment-masks mars", "--data.init_args.predict_split", "train"),
        (["tokens=true"], "uss-neighbours", "--writer.init_args.tokens", "true"),
        (["seed=4"], "uss-fit", "--seed_everything", "4"),
        (["segment_seed=5"], "segment mars", "--seed_everything", "5"),
        (["segment.trainer.max_epochs=3"], "segment mars", "--trainer.max_epochs", "3"),
        (["segment.trainer.max_epochs=3"], "segment baseline", "--trainer.max_epochs", "3"),
        (["segment.model.lr=.1"], "segment mars", "--model.init_args.lr", ".1"),
        (
            ["segment.model.network.output_stride=16"],
            "segment mars",
            "--model.init_args.network.init_args.output_stride",
            "16",
        ),
    ],
)
def test_a_choice_is_told_to_the_command(made, words, stage, flag, value):
    made.run(*words)
    assert made.call(stage).after(flag) == value
    plain = ("shifts", "gamma", "alpha", "clusters", "encoder", "max_epochs", "model.lr", "dilation", "tokens")
    if any(word in words[0] for word in plain):
        told = {call.name for call in made.calls() if call.after(flag)}
        assert {name.split()[0] for name in told} <= {
            "segment",
            stage.split()[0],
            "segment-masks",
            "segment-complemented",
        }


def test_a_setting_of_trainings_reaches_them_and_no_other_stage(house):
    house.run("gap", "segment.trainer.max_epochs=3", "also=debiased")
    told = [call.name for call in house.calls() if call.after("--trainer.max_epochs")]
    assert told == ["segment mars", "segment baseline", "segment debiased", "segment supervised"]


def test_yamls_come_in_order_the_data_first_the_trainer_last(finished):
    for call in finished[2]:
        if call.words[0] != "evaluate":
            assert call.yamls()[0] == "data/voc.yaml" and call.yamls()[-1] == "trainer/cpu.yaml"
