"""`mars recipe data=voc wsss=irn …`: every fit that a run would make, beside the published recipe."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.text import Text

from datamodules.terminal import terminal
from mars_pl.commands.recipe.planned import Recipe, plan_recipe
from mars_pl.commands.recipe.published import PublishedRecipes
from mars_pl.commands.recipe.table import recipe_table
from mars_pl.commands.run import targets
from mars_pl.commands.run.refusals import refuse_absent, refuse_unknown
from mars_pl.commands.run.words import refuse_unread, sort_words
from mars_pl.pipeline.choices import Choices, read_choices


def main(argv: Sequence[str]) -> int:
    """Print the recipe of each fit; returns 0.

    Raises:
        DataError: where a word is unknown, or a batch does not divide among the processes.
    """
    words = sort_words(parser().parse_args(argv).words)
    refuse_unread("recipe", words)
    choices = read_choices(words.choices, words.options)
    published = PublishedRecipes()
    recipes = plan_recipes(choices, published)
    console = terminal()
    for recipe in recipes:
        table = recipe_table(recipe, _about(recipe), published.beside(recipe, choices.data))
        console.print(table, soft_wrap=True)
    for line in _circumstances(choices, recipes, published):
        console.print(Text(line), soft_wrap=True)
    return 0


def plan_recipes(choices: Choices, published: PublishedRecipes) -> list[Recipe]:
    """Return the recipes of a run's fits, in their order; fits that share one have it once.

    Raises:
        DataError: where a stage or a setting that a word names is unknown, or a batch does not divide.
    """
    stages = targets.mars(choices).every_stage()
    refuse_absent([*choices.options], stages)
    refuse_unknown(choices, stages)
    recipes: list[Recipe] = []
    for stage in (stage for stage in stages if stage.job == "fit"):
        recipe = plan_recipe(choices, stage, published.images)
        if recipe in recipes:
            recipes[recipes.index(recipe)].stages.append(stage)
        else:
            recipes.append(recipe)
    return recipes


def _about(recipe: Recipe) -> str:
    """Which fits share a recipe: ``segment: mars deeplabv3plus_resnet101, baseline deeplabv3plus_resnet101``."""
    told = (stage.choices[1:2] if stage.name.startswith("wsss") else stage.choices[1:3] for stage in recipe.stages)
    return f"{recipe.name}: {', '.join(' '.join(words) for words in told)}"


def _circumstances(choices: Choices, recipes: Sequence[Recipe], published: PublishedRecipes) -> list[str]:
    """What holds for all fits: the images, and where no published recipe is shown."""
    lines = []
    for split, (number, source) in {recipe.split: recipe.images for recipe in recipes}.items():
        lines.append(source if number is None else f"{split}: {number:,} images, {source}")
    if choices.data not in published.images:
        lines.append(f"Nothing is published for data={choices.data}: its recipes are this project's own.")
    return lines


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    reader = argparse.ArgumentParser(
        prog="mars recipe",
        description="Prints each fit that `mars run mars` would make with these words, beside what is published: "
        "steps, batch, learning rates, crops.",
        epilog="`mars run --help` lists the words.",
    )
    reader.add_argument("words", nargs="*", metavar="NAME=VALUE", help="choices, as of `mars run`")
    return reader
