"""Defaults that are a constant's name are shown as its value: an extension of griffe, for the reference."""

from __future__ import annotations

import importlib
from typing import Any

import griffe


class ConstantDefaults(griffe.Extension):
    """Replaces names in capitals by what they hold."""

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Look at each parameter of one function."""
        for parameter in func.parameters:
            name = str(parameter.default)
            if name.isupper() and name.isidentifier():
                parameter.default = repr(getattr(importlib.import_module(func.module.path), name))
