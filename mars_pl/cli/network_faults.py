"""A network's first parameter is the data's number of classes: what the parser says of one that is set, in clear."""

from __future__ import annotations

import re
from argparse import ArgumentError
from inspect import isclass, signature
from pkgutil import resolve_name

from torch import nn

from mars_pl.cli.parser_faults import CALLED, called_class
from mars_pl.networks.network_maker import check_first_parameter

REFUSED = re.compile(r"^Option '(\w+)' is not accepted$")
"""What it says of an argument that the class does not have, or that it keeps to itself."""


def network_fault(error: ArgumentError) -> ValueError | None:
    """Return what is wrong with the first parameter of the network that the parser complains of, if it is that.

    Args:
        error: of the parser; it keeps the first parameter to itself, and calls it unknown where it is set.
    """
    found = CALLED.search(str(error)) if 'Parser key "network"' in str(error) else None
    made = _class(called_class(found)) if found else None
    if found is None or made is None:
        return None
    if made is nn.Module:  # what the parser takes where none is named
        return ValueError("network: no class_path is given; name the YAML that has it before the one that changes it")
    try:
        check_first_parameter(made)
    except ValueError as fault:
        return fault
    refused = REFUSED.match(found["why"])
    if refused is None or refused[1] != next(iter(signature(made).parameters)):
        return None
    return ValueError(
        f"network {made.__name__}: {refused[1]}, its first parameter, is the data's number of classes and cannot be "
        "set; leave it out, or, where it is another number, set the class as path of "
        "mars_pl.segment.adapted_network.AdaptedNetwork"
    )


def _class(path: str) -> type[nn.Module] | None:
    """The network class of a path; None where there is none, which the parser says better."""
    try:
        found = resolve_name(path)
    except (ImportError, AttributeError, ValueError):
        return None
    return found if isclass(found) and issubclass(found, nn.Module) else None
