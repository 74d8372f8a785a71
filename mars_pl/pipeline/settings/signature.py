"""What a class of a configuration takes, and by what default: read from its source, so that no class is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from mars_pl.pipeline.settings.source import Definition, find_definition, literal, named_by

DEEPEST = 20
"""Classes above one another; more are a circle."""

TAKES_NOTHING = ("ABC", "Generic", "Protocol", "object")
"""Bases that add no setting."""


@dataclass(frozen=True)
class Signature:
    """The settings of a class or function.

    Attributes:
        name: of the class.
        settings: names, in order.
        defaults: of those that have a plain one.
        complete: whether these are all; a class may pass others on to where they cannot be read.
    """

    name: str
    settings: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)
    complete: bool = True

    def without(self, names: Iterable[str]) -> Signature:
        """Return the same without settings that somebody else says."""
        left = tuple(name for name in self.settings if name not in set(names))
        defaults = {name: value for name, value in self.defaults.items() if name in left}
        return replace(self, settings=left, defaults=defaults)


@cache
def read_signature(path: str, method: str = "__init__") -> Signature | None:
    """Return what a class or function takes; None where its source cannot be found.

    Args:
        path: dotted, ``mars_pl.uss.stego.head.STEGOHead``.
        method: of a class.
    """
    found = find_definition(path)
    return None if found is None else _signature(found, method, 0)


def _signature(found: Definition, method: str, depth: int) -> Signature:
    node = found.node
    if isinstance(node, ast.FunctionDef):
        return _of_function(found, node, depth)
    own = next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == method), None)
    if own is not None:
        return _of_function(found, own, depth)
    inherited = replace(_of_bases(found, method, depth), name=node.name)
    if not any(ast.unparse(one).split("(")[0].endswith("dataclass") for one in node.decorator_list):
        return inherited
    fields = {
        item.target.id: item.value
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    names = tuple(dict.fromkeys([*inherited.settings, *fields]))
    return replace(inherited, settings=names, defaults=inherited.defaults | _plain(fields, found.module))


def _of_function(found: Definition, own: ast.FunctionDef, depth: int) -> Signature:
    """The signature of a function, or of a class by its method."""
    arguments = own.args
    listed = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    values = dict(zip(reversed(listed), reversed(arguments.defaults), strict=False))
    values |= {one.arg: value for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value}
    names = [*listed[isinstance(found.node, ast.ClassDef) :], *(one.arg for one in arguments.kwonlyargs)]
    takes = Signature(found.node.name, tuple(names), _plain(values, found.module), arguments.vararg is None)
    if arguments.kwarg is None:
        return takes
    passed = list(_passed_on(found, own, arguments.kwarg.arg, depth))
    for other in passed:
        names = list(dict.fromkeys([*takes.settings, *other.settings]))
        defaults, complete = other.defaults | takes.defaults, takes.complete and other.complete
        takes = replace(takes, settings=tuple(names), defaults=defaults, complete=complete)
    return takes if passed else replace(takes, complete=False)


def _passed_on(found: Definition, own: ast.FunctionDef, rest: str, depth: int) -> Iterator[Signature]:
    """What takes the settings that a function names only as ``**rest``, without those that it says itself."""
    used = sum(isinstance(one, ast.Name) and one.id == rest for one in ast.walk(own))
    for call in (one for one in ast.walk(own) if isinstance(one, ast.Call)):
        if not any(word.arg is None and ast.unparse(word.value) == rest for word in call.keywords):
            continue
        used -= 1
        taker = _taker(found, own, call, depth)
        yield taker.without([*(word.arg or "" for word in call.keywords), *taker.settings[: len(call.args)]])
    if used:  # somebody looks into them, and may take what nobody below names
        yield Signature(found.node.name, complete=False)


def _taker(found: Definition, own: ast.FunctionDef, call: ast.Call, depth: int) -> Signature:
    if isinstance(found.node, ast.ClassDef) and ast.unparse(call.func) == f"super().{own.name}":
        return _of_bases(found, own.name, depth)
    return _of_named(call.func, found.module, "__init__", depth)


def _of_bases(found: Definition, method: str, depth: int) -> Signature:
    """The signature that the first base has."""
    bases = found.node.bases if isinstance(found.node, ast.ClassDef) else []
    for base in bases:
        if ast.unparse(base).split("[")[0].rpartition(".")[2] not in TAKES_NOTHING:
            return _of_named(base, found.module, method, depth)
    return Signature(found.node.name)


def _of_named(expression: ast.expr, module: str, method: str, depth: int) -> Signature:
    found = named_by(expression, module)
    if found is None or depth == DEEPEST:
        return Signature(ast.unparse(expression), complete=False)
    return _signature(found, method, depth + 1)


def _plain(values: dict[str, ast.expr] | dict[str, ast.expr | None], module: str) -> dict[str, Any]:
    """The values of defaults; one that is made by a call is left out."""
    defaults = {}
    for name, value in values.items():
        if value is not None:
            try:
                defaults[name] = literal(value, module)
            except LookupError:
                continue
    return defaults
