"""Every fit of every row of docs/recipes.md is the published one, but for deviations that are listed with a reason."""

import pytest

from mars_pl.commands.recipe.planned import Recipe
from mars_pl.commands.recipe.published import FILE, Published, differences
from mars_pl.pipeline.settings.configs import config_folder
from mars_pl.pipeline.settings.settings_file import read_settings
from tests.commands.recipe.rows import PAIRS, ROWS, planned

HELD = read_settings(FILE)
ENTRIES = HELD["recipes"]
NAMED = {"source", "for", "epochs", "steps", "batch", "lr", "rows", "training_set", "deviations", "like", "notes"}


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """Recipes and what was published, of each row and pair."""
    house = tmp_path_factory.mktemp("house")
    return {" ".join(words): planned(house, *words) for words in [*ROWS, *PAIRS]}


@pytest.mark.parametrize("words", [*ROWS, *PAIRS], ids=" ".join)
def test_a_row_is_as_published(words, every):
    found = every[" ".join(words)]
    said = {word.partition("=")[0] for word in words}
    fits = {
        "uss-fit": True,
        "segment": True,
        "wsss-classifier": "labels" not in said,
        "wsss-propagation": "wsss" in said,
    }
    assert {recipe.name for recipe, _ in found} == {name for name, wanted in fits.items() if wanted}
    for recipe, published in found:
        unlisted = set(differences(recipe, published)) - set(published.deviations)
        assert not unlisted, (recipe.name, published.name)
        assert recipe.notes == (), "a validation comes before the fit ends"


def test_a_deviation_that_is_listed_is_there(every):
    """One that was mended is to be taken off the list."""
    listed = {(name, row) for name, entry in ENTRIES.items() for row in entry.get("deviations", {})}
    met = {
        (published.name, row)
        for found in every.values()
        for recipe, published in found
        for row in differences(recipe, published)
    }
    assert listed - met == set()
    assert set(HELD["deviations"]) <= {row for _, row in met}


def test_lengths_are_those_of_the_repositories(every):
    """Steps that their code prints or computes for VOC: (images // batch) · epochs."""
    steps = {}
    for found in (every[" ".join(words)] for words in [*ROWS, *PAIRS] if "data=voc" in words):
        steps |= {published.name: published.rows.get("steps") for _, published in found}
    assert steps == {
        "wsss/cam": 3305,
        "wsss/advcam/cam": 3305,
        "uss/stego_vit_small": 5000,
        "wsss/irn_propagation": 990,
        "wsss/seam": 10576,
        "wsss/seam_propagation": 10576,
        "wsss/rsepm": None,
        "wsss/rsepm_propagation": 990,
        "uss/stego": 7000,
        "uss/leopart": 82500,
        "segment/segment": 66100,
        "segment/deeplabv2": 20000,
        "segment/deeplabv1_wideresnet38": 20000,
    }


def test_what_nobody_published_is_the_same_on_every_data_set(every):
    both = []
    for data in ("voc", "coco"):
        [(recipe, published)] = [pair for pair in every[f"data={data} wsss=rsepm"] if pair[0].name == "wsss-classifier"]
        assert published.rows == {} and published.source.startswith("nothing")
        both.append({name: value for name, value in recipe.rows.items() if name != "steps"} | recipe.training_set)
    assert both[0] == both[1]


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_is_whole(name):
    entry = ENTRIES[name]
    assert (config_folder() / f"{name}.yaml").is_file()
    assert set(entry) <= NAMED
    assert entry.get("source") or ENTRIES[entry["like"]]["source"]
    assert not {"steps", "epochs"} <= set(entry)
    assert all(reason.strip() and "\n" not in reason for reason in entry.get("deviations", {}).values())


def recipe(**rows):
    known = {"steps": 10, "epochs": 1.0, "batch": 4, "lr backbone": 0.1}
    return Recipe("segment", [], known | rows, {"crop_size": 8, "scale": (0.5, 1.5)}, "4", None, "train", 1, ())


def published(**rows):
    said = {"steps": 10, "epochs": 1, "batch": 4, "lr backbone": 0.1}
    return Published("segment/x", "here", said | rows, {"scale": [0.5, 1.5], "hsv_jitter": None}, {}, ())


@pytest.mark.parametrize(
    ("ours", "theirs", "different"),
    [
        ({}, {}, []),
        ({"steps": 11}, {}, ["steps"]),
        ({"lr backbone": 0.1 + 1e-12}, {}, []),  # 10 · .01 and .1 are not the same float
        ({"lr backbone": 0.11}, {}, ["lr backbone"]),
        ({"more": 1}, {}, []),  # nobody published it
        ({}, {"lr head": 1.0}, ["lr head"]),
        ({"steps": None, "epochs": None}, {}, []),  # without the images nobody knows
        ({}, {"steps": None}, []),
        ({"optimiser": "Adam"}, {"optimiser": "SGD"}, ["optimiser"]),
    ],
)
def test_differences(ours, theirs, different):
    assert differences(recipe(**ours), published(**theirs)) == different


def test_crops_are_compared_setting_by_setting():
    other = published()._replace(training_set={"scale": [0.5, 2.0], "crop_size": 8, "hsv_jitter": [10, 10, 10]})
    assert differences(recipe(), other) == ["scale", "hsv_jitter"]
