"""`mars weights fetch [data=… …]`: every file that a run starts from, brought to where offline runs look for it."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from datamodules.errors import DataError
from datamodules.files.whole_file import whole_file
from datamodules.terminal import terminal
from mars_pl.commands.run import targets
from mars_pl.commands.run.words import sort_words
from mars_pl.pipeline.choices import read_choices
from mars_pl.pipeline.execution.needs import needed_weights
from mars_pl.pipeline.settings.settings_file import read_settings
from mars_pl.pipeline.stage import Stage
from mars_pl.pipeline.timm_hub import WEIGHTS_FILES, cached, repository
from mars_pl.training.weight_files import MARS_WEIGHTS, find_weights_file

SOURCES = Path(__file__).with_name("sources.yaml")


class Needed(NamedTuple):
    """A file that a run starts from.

    Attributes:
        name: of the file, or of timm's model.
        repository: of the hub; empty where a person has to fetch it.
        file: in the repository.
        here: whether it lies where offline runs look.
        by_hand: what a person does to have it.
        model: whether it stays in the hub's cache, where timm looks.
    """

    name: str
    repository: str
    file: str
    here: bool
    by_hand: str = ""
    model: bool = False


def fetch(words: Sequence[str], *, only_list: bool) -> int:
    """Print what a run with these words starts from and fetch what is not here; returns 1 where something is left.

    Args:
        words: choices, as of `mars run`.
        only_list: fetch nothing.

    Raises:
        DataError: where a word is unknown, or the hub cannot be asked.
    """
    sorted_words = sort_words(words)
    if sorted_words.of_run("weights"):
        os.environ[MARS_WEIGHTS] = sorted_words.of_run("weights")
    choices = read_choices(sorted_words.choices, sorted_words.options)
    needed = list(needed_files(targets.mars(choices).every_stage()))
    folder = Path(os.environ.get(MARS_WEIGHTS, "weights"))
    for one in needed:
        if not (one.here or only_list or one.by_hand):
            _fetch(one, folder)
    console = terminal()
    for one in needed:
        source = one.by_hand or (f"{one.repository}: {one.file}" if one.repository else "")
        line = f"{_state(one, only_list=only_list):8} {one.name}{', ' if source else ''}{source}"
        console.print(line, soft_wrap=True)
    console.print(f"files go to {folder}/, timm's to {_cache()}; weights= and HF_HOME say otherwise", soft_wrap=True)
    return int(any(not one.here and (only_list or bool(one.by_hand)) for one in needed))


def needed_files(stages: Sequence[Stage]) -> Iterator[Needed]:
    """Yield what stages start from, each once."""
    sources = read_settings(SOURCES)
    files, models = needed_weights(stages)
    for name in files:
        source = sources.get(Path(name).name, {"by_hand": "a file of your own; weights= names its folder"})
        here = find_weights_file(name) is not None
        by_hand = "" if here else source.get("by_hand", "")
        yield Needed(name, source.get("repository", ""), source.get("file", ""), here, by_hand)
    for name in models:
        yield Needed(name, repository(name), WEIGHTS_FILES[0], cached(name), model=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the words of `mars weights fetch`."""
    words = "choices, as of `mars run`: data=folder, or segmenter=… backbone=… wsss=…"
    parser.add_argument("words", nargs="*", metavar="NAME=VALUE", help=words)
    parser.add_argument("-n", "--list", action="store_true", help="say what is needed and fetch nothing")


def _fetch(one: Needed, folder: Path) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    try:
        get_hf_file_metadata(hf_hub_url(one.repository, one.file), timeout=10)  # the download itself tries for minutes
        place = Path(hf_hub_download(one.repository, one.file))
    except Exception as error:  # whatever stands between us and the hub
        reason = (" ".join(str(error).split()) or type(error).__name__)[:160]
        raise DataError(
            f"{one.repository}: {one.file} cannot be fetched ({reason}); go online, or bring it from a machine that is"
        ) from None
    if not one.model:
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(folder / one.name) as partial:
            shutil.copyfile(place, partial)


def _state(one: Needed, *, only_list: bool) -> str:
    if one.here:
        return "here"
    return "missing" if one.by_hand or only_list else "fetched"


def _cache() -> str:
    from huggingface_hub import constants

    return str(constants.HF_HUB_CACHE)
