"""The choices whose recipes are compared: every row of docs/recipes.md, and each pair of a data set and a choice."""

from contextlib import chdir

from mars_pl.commands.recipe.command import plan_recipes
from mars_pl.commands.recipe.published import PublishedRecipes
from mars_pl.commands.run.words import sort_words
from mars_pl.pipeline.choices import read_choices
from tests.docs.shown import commands
from tests.pipeline.tiny_run import REPOSITORY

PAGE = REPOSITORY / "docs" / "recipes.md"
ROWS = [words[3:] for words in commands(PAGE.read_text()) if words[:2] == ["mars", "run"]]
"""Words after `mars run TARGET` of each row."""

PAIRS = [
    [f"data={data}", choice]
    for data in ("voc", "coco")
    for choice in (
        "wsss=irn",
        "wsss=advcam",
        "wsss=seam",
        "wsss=rsepm",
        "uss=leopart",
        "uss=stego_vit_small",
        "segmenter=deeplabv1_wideresnet38",
        "segmenter=deeplabv2_resnet50",
        "segmenter=deeplabv2_resnet101",
        "segmenter=deeplabv3plus_resnet101",
        "segmenter=dhr_deeplabv1",
        "segmenter=dhr_deeplabv2",
    )
]
"""What one data set's recipe says must not be inherited where another one is fitted."""

PUBLISHED = PublishedRecipes()


def furnished(house, words):
    """Make the folder of labels that words name; no data set is on disk."""
    for word in words:
        name, _, value = word.partition("=")
        if name == "labels":
            (house / value).mkdir(parents=True, exist_ok=True)
    return house


def planned(house, *words):
    """Return each recipe of a row with the published one beside it."""
    given = sort_words(words)
    with chdir(furnished(house, words)):
        choices = read_choices({"trainer": "cpu"} | given.choices, given.options)
        return [(recipe, PUBLISHED.beside(recipe, choices.data)) for recipe in plan_recipes(choices, PUBLISHED)]
