"""Words that go with no stage of the choices are refused before anything is made ready."""

from __future__ import annotations

from collections.abc import Sequence

from datamodules.errors import DataError
from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.settings.known import check_setting
from mars_pl.pipeline.stage import Stage


def refuse_absent(words: Sequence[str], stages: Sequence[Stage]) -> None:
    """Refuse stages, or settings of stages, that are not among the stages.

    Raises:
        DataError: on the first of them.
    """
    there = dict.fromkeys(address for stage in stages if stage.job != "evaluate" for address in stage.addresses)
    for word in words:
        if word.partition(".")[0] not in there:
            raise DataError(f"{word}: these choices have no such stage; they have {', '.join(there)}")


def refuse_unknown(choices: Choices, stages: Sequence[Stage]) -> None:
    """Refuse settings that their stage does not take.

    Raises:
        DataError: on the first of them.
    """
    for word in choices.options:
        name, _, setting = word.partition(".")
        for stage in stages:
            if name in stage.addresses and stage.job != "evaluate":
                check_setting(stage, setting, name)
