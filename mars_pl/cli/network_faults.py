"""A network's first parameter is the data's number of classes: what the parser says of one that is set, in clear."""

from __future__ import annotations

import re
from argparse import ArgumentError
from inspect import isclass, signature
from pkgutil import resolve_name

from torch import nn

from mars_pl.networks.network_maker import check_first_parameter

KEPT = re.compile(
    r"Callable\[\[int\].*?(?:Option '(?P<set>\w+)' is not accepted|arguments are required: (?P<lacked>\w+))"
    r".*?Got value: Namespace\(.*?\bclass_path='(?P<path>[\w.]+)'",
    re.DOTALL,
)
"""A parser's message about an argument of a class that is to be called with one number."""


def network_fault(error: ArgumentError) -> ValueError | None:
    """Return what is wrong with the first parameter of the network that the parser complains of, if it is that.

    Args:
        error: of the parser; it keeps the first parameter to itself, and calls it unknown where it is set.
    """
    found = KEPT.search(str(error))
    made = resolve_name(found["path"]) if found else None
    if found is None or not isclass(made):
        return None
    if made is nn.Module:  # what the parser takes where none is named
        return ValueError("network: no class_path is given; name the YAML that has it before the one that changes it")
    try:
        check_first_parameter(made)
    except ValueError as fault:
        return fault
    if found["set"] != next(iter(signature(made).parameters)):
        return None
    return ValueError(
        f"network {made.__name__}: {found['set']}, its first parameter, is the data's number of classes and cannot be "
        "set; leave it out, or, where it is another number, set the class as path of "
        "mars_pl.segment.adapted_network.AdaptedNetwork"
    )
