"""Networks by partial: a module is given what makes its network, and calls it with the data's number of classes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from inspect import Parameter, signature
from typing import TypeVar

from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def make_network(maker: Callable[[int], Network], num_classes: int) -> Network:
    """Make a network for the data's classes.

    Args:
        maker: of a network from the number of classes: a class whose first parameter that is, with or without its other
            arguments bound, or a function.
        num_classes: background counted.

    Raises:
        ValueError: in one line, where the maker is a network already, takes something else first, or lacks arguments.
    """
    if isinstance(maker, nn.Module):
        raise ValueError(
            f"network: is a {type(maker).__name__} already; give what makes it from the number of classes, "
            "e.g. `lambda num_classes: …`"
        )
    made = _class_of(maker)
    if isinstance(made, type):
        check_first_parameter(made)
    try:
        return maker(num_classes)
    except TypeError as error:
        name = getattr(made, "__name__", type(made).__name__)
        raise ValueError(f"network {name}: {error}; mend its init_args") from error


def check_first_parameter(network: type) -> None:
    """Refuse a class whose first parameter is not the number of classes, by whatever name.

    Raises:
        ValueError: in one line.
    """
    parameters = signature(network).parameters
    first = next(iter(parameters.values()), None)
    if first is not None and first.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
        return  # it hands on what it is given
    if first is None or (first.name != "num_classes" and ("num_classes" in parameters or not _takes_int(first))):
        found = "it takes none" if first is None else f"its first is {first.name}"
        raise ValueError(
            f"network {network.__name__}: its first parameter has to be the number of classes, and {found}; derive a "
            "class that takes num_classes first, or set it as path of mars_pl.segment.adapted_network.AdaptedNetwork"
        )


def _takes_int(parameter: Parameter) -> bool:
    return parameter.annotation is Parameter.empty or bool(re.search(r"\bint\b", str(parameter.annotation)))


def _class_of(maker: object) -> object:
    """The class that a partial makes; jsonargparse's hold it among their arguments."""
    held = [maker.func, *maker.args] if isinstance(maker, partial) else [maker]
    return next((one for one in held if isinstance(one, type)), maker)
