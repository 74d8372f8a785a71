"""Modules read as text: where a class, a function or a constant is defined. Nothing is imported, torch least of all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

Code = ast.ClassDef | ast.FunctionDef


class Definition(NamedTuple):
    """A class or function, and the module whose names it uses."""

    module: str
    node: Code


def find_definition(path: str) -> Definition | None:
    """Return what a dotted path names, through the imports of packages; None where it cannot be read.

    Args:
        path: ``pytorch_lightning.Trainer``; the module is one that could be imported.
    """
    module, _, name = path.rpartition(".")
    return _definition(module, name, frozenset())


def named_by(expression: ast.expr, module: str) -> Definition | None:
    """Return the class or function that an expression of a module names, ``Base`` or ``package.Base``."""
    if isinstance(expression, ast.Name):
        return _definition(module, expression.id, frozenset())
    if isinstance(expression, ast.Subscript):  # Base[T]
        return named_by(expression.value, module)
    if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
        package = _imported(module, expression.value.id)
        return find_definition(f"{package}.{expression.attr}") if package else None
    return None


def read_constant(path: str) -> Any:
    """Return a plain value that a module gives a name.

    Raises:
        LookupError: where the module cannot be read, or gives the name no plain value.
    """
    module, _, name = path.rpartition(".")
    for statement in _statements(module):
        for target, value in _assigned(statement):
            if target == name:
                return literal(value, module)
    origin = _imported(module, name)
    if origin is None:
        raise LookupError(f"{path}: no constant")
    return read_constant(origin)


def literal(value: ast.expr, module: str) -> Any:
    """Return the plain value of an expression of a module: itself, or a constant's.

    Raises:
        LookupError: where it is none.
    """
    if isinstance(value, ast.Name):
        return read_constant(f"{module}.{value.id}")
    try:
        return ast.literal_eval(value)
    except ValueError:
        raise LookupError(f"{module}: {ast.unparse(value)} is no plain value") from None


def _definition(module: str, name: str, seen: frozenset[tuple[str, str]]) -> Definition | None:
    if (module, name) in seen:  # packages that import one another
        return None
    for statement in _statements(module):
        if isinstance(statement, ast.ClassDef | ast.FunctionDef) and statement.name == name:
            return Definition(module, statement)
    origin = _imported(module, name)
    if origin is None:
        return None
    package, _, other = origin.rpartition(".")
    return _definition(package, other, seen | {(module, name)})


def _imported(module: str, name: str) -> str | None:
    """The full path of a name that a module imports."""
    for statement in _statements(module):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return alias.name
        elif isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return f"{_origin(module, statement)}.{alias.name}"
    return None


def _origin(module: str, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    file = _file(module)
    parents = module.split(".") if file is not None and file.stem == "__init__" else module.split(".")[:-1]
    parents = parents[: len(parents) - statement.level + 1]
    return ".".join([*parents, *([statement.module] if statement.module else [])])


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Each name that a statement assigns, with its value; ``A, B = 1, 2`` too."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return
    value = statement.value
    for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
        if isinstance(target, ast.Name):
            yield target.id, value
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from (
                (one.id, of_it)
                for one, of_it in zip(target.elts, value.elts, strict=False)
                if isinstance(one, ast.Name)
            )


def _statements(module: str) -> list[ast.stmt]:
    """The statements of a module, those within ``if`` and ``try`` too; none where it cannot be read."""
    return list(_flat(_parsed(module)))


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try):
            yield from _flat(statement.body)
            yield from _flat(statement.orelse)


@cache
def _parsed(module: str) -> list[ast.stmt]:
    file = _file(module)
    try:
        return [] if file is None else ast.parse(file.read_text(encoding="utf-8")).body
    except (OSError, SyntaxError, UnicodeDecodeError):
        return []


@cache
def _file(module: str) -> Path | None:
    """The source of a module, looked for without importing the packages it lies in."""
    top, *rest = module.split(".")
    try:
        spec = find_spec(top) if top else None
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest and spec.origin and spec.origin.endswith(".py"):
        return Path(spec.origin)
    for folder in spec.submodule_search_locations or ():
        place = Path(folder, *rest)
        for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if file.is_file():
                return file
    return None
