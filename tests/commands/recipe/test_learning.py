"""What a recipe says of parameter groups, optimiser and schedule is what the module itself makes of its YAMLs."""

import pytest
import torch

from mars_pl.commands.recipe.command import plan_recipes
from mars_pl.commands.recipe.learning import MODULES, NETWORKS, learning_rows
from mars_pl.commands.run.targets import mars
from mars_pl.pipeline.choices import read_choices
from mars_pl.pipeline.execution.places import Places
from mars_pl.pipeline.execution.words import command_words
from mars_pl.pipeline.settings.resolved import resolve
from mars_pl.wsss.cam.classification_module import ClassificationModule
from mars_pl.wsss.clims.clims_module import CLIMSModule
from mars_pl.wsss.wood.wood_module import OutOfDistributionModule
from tests.commands.recipe.rows import PUBLISHED
from tests.pipeline.composed import instantiation, make_composing_house, offline

FITS = {
    "cam": ("voc", "wsss=irn", "wsss-classifier"),
    "irn": ("voc", "wsss=irn", "wsss-propagation"),
    "seam": ("voc", "wsss=seam", "wsss-classifier"),
    "affinity": ("voc", "wsss=seam", "wsss-propagation"),
    "rsepm": ("voc", "wsss=rsepm", "wsss-classifier"),
    "rsepm-edges": ("voc", "wsss=rsepm", "wsss-propagation"),
    "stego": ("voc", "uss=stego", "uss-fit"),
    "leopart": ("voc", "uss=leopart", "uss-fit"),
    "v1": ("voc", "segmenter=deeplabv1_wideresnet38", "segment"),
    "v2": ("voc", "segmenter=deeplabv2_resnet50", "segment"),
    "v3+": ("voc", "segmenter=deeplabv3plus_resnet101", "segment"),
    "dhr-v1": ("voc", "segmenter=dhr_deeplabv1", "segment"),
    "dhr-v2": ("voc", "segmenter=dhr_deeplabv2", "segment"),
    "smp": ("voc", "segmenter=smp_unet", "segment"),
    "dhr": ("voc", "train=dhr", "segment"),
    "captions": ("scenes", "wsss=clims", "wsss-clip"),
    "scenes": ("scenes", "wsss=seam", "wsss-classifier"),  # its batch norms learn, and AdamW is its optimiser
}
STEPS = 100
GOES_ON = (OutOfDistributionModule, CLIMSModule)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Makes the recipe of a fit, and the real module that the command line makes of it."""
    return lambda fit: make(tmp_path, monkeypatch, *FITS[fit])


def make(tmp_path, monkeypatch, data, choice, name):
    house = make_composing_house(tmp_path)
    monkeypatch.chdir(house)
    key, _, value = choice.partition("=")
    choices = read_choices({"data": data, "trainer": "cpu", key: value}, {})
    recipe = [recipe for recipe in plan_recipes(choices, PUBLISHED) if recipe.name == name][-1]  # DHR's after MARS'
    places = Places()
    words = command_words(places.of(recipe.stages[0]), places)
    cli = instantiation(house, monkeypatch)([*words, *offline(house, words)])
    monkeypatch.setattr(type(cli.trainer), "estimated_stepping_batches", STEPS)
    cli.model.trainer = cli.trainer
    return recipe, cli


@pytest.mark.parametrize("fit", FITS)
def test_a_recipe_is_the_modules_own(fit, made):
    recipe, cli = made(fit)
    rows = recipe.rows
    learning = cli.model.configure_optimizers()
    optimizer = learning["optimizer"] if isinstance(learning, dict) else learning
    check_groups(rows, optimizer, fit)
    assert rows["optimiser"].split(",")[0] == type(optimizer).__name__
    if isinstance(optimizer, torch.optim.SGD):
        assert rows["optimiser"] == f"SGD, momentum {optimizer.param_groups[0]['momentum']:g}"
    if optimizer is learning:
        assert rows["schedule"] == "constant"
    else:
        check_schedule(rows["schedule"], learning["lr_scheduler"]["scheduler"].lr_lambdas[0])
    assert cli.datamodule.batch_size == rows["batch"]
    validated = bool(cli.datamodule.validate_split) and type(cli.model).validation_step.__module__.startswith("mars_pl")
    assert (rows["validation"] != "none") == validated


def check_groups(rows, optimizer, fit):
    """Each group of the optimiser is planned; of those that are planned only biases may be in none."""
    decay = 0.04 if fit == "leopart" else rows["weight decay"]  # at its start
    rates = {name: round(rate, 9) for name, rate in rows.items() if name.startswith("lr ")}
    planned = {(rate, 0.0 if name.endswith("biases") else decay) for name, rate in rates.items()}
    if fit == "leopart":  # its biases and norms have their part's rate
        planned |= {(rate, 0.0) for rate in rates.values()}
    real = {(round(group.get("initial_lr", group["lr"]), 9), group["weight_decay"]) for group in optimizer.param_groups}
    assert real <= planned and all(of_biases == 0 for _, of_biases in planned - real)


def check_schedule(words, factor):
    """The rate's factor along the fit is the one that is named."""
    if words == "cosine to 0":
        assert factor(0) == 1 and factor(STEPS // 2) == pytest.approx(0.5) and factor(STEPS) == pytest.approx(0)
        return
    every = 10 if words.endswith("10 steps") else 1
    assert words == f"poly 0.9, every {'step' if every == 1 else '10 steps'}"
    assert [factor(step) for step in (0, 25, 99)] == pytest.approx(
        [(1 - step // every * every / STEPS) ** 0.9 for step in (0, 25, 99)]
    )


def test_a_module_of_ones_own_says_nothing():
    assert learning_rows("Mine", {"lr": 1.0}, "Network", {}) == {}
    assert learning_rows("SegmentationModule", {"lr": 1.0}, "Mine", {}) == {}


def test_every_kind_of_ours_is_compared_with_the_real_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    compared = set()
    for data, choice, name in FITS.values():
        key, _, value = choice.partition("=")
        run = mars(read_choices({"data": data, "trainer": "cpu", key: value}, {}))
        for stage in (stage for stage in run.every_stage() if (stage.job, stage.name) == ("fit", name)):
            model = resolve(stage.yamls, stage.options)["model"]
            compared |= {model["class_path"], model["init_args"].get("network", {}).get("class_path", "")}
    built_on = {module.__name__ for module in GOES_ON}
    assert {*MODULES, *NETWORKS} - built_on <= {path.rpartition(".")[2] for path in compared}


@pytest.mark.parametrize("module", GOES_ON)
def test_what_goes_on_with_a_classifier_moves_as_it_does(module):
    assert module.parameter_groups is ClassificationModule.parameter_groups
    assert module.configure_optimizers is ClassificationModule.configure_optimizers
    model = {"lr": 0.1, "head_factor": 10, "weight_decay": 1e-4, "optimizer": "sgd", "momentum": 1e-4}
    expected = learning_rows("ClassificationModule", model, "CAMClassifier", {})
    assert learning_rows(module.__name__, model, "CAMClassifier", {}) == expected != {}


def test_adele_moves_the_shares_of_its_scales_beside_a_segmenters_groups():
    model = {"lr": 0.1, "head_factor": 10, "weight_decay": 1e-4, "optimizer": "sgd", "momentum": 0.9}
    plain, adele = (learning_rows(kind, model, "DeepLabV3Plus", {}) for kind in ("SegmentationModule", "ADELEModule"))
    assert adele == plain | {"lr shares of the scales": 0.1}
