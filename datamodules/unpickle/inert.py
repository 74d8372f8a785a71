"""What stands for objects of other projects in a checkpoint."""

from __future__ import annotations

from typing import Any, Self


class Inert:
    """Stands for whatever a pickle asks for: takes any arguments, keeps none and does nothing."""

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Make one, whatever the arguments."""
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **options: Any) -> None: ...

    def __call__(self, *arguments: Any, **options: Any) -> Inert:
        """Give another inert thing, where the pickle calls what it was given."""
        return Inert()

    def __setitem__(self, key: object, value: object) -> None: ...

    def append(self, item: object) -> None:
        """Take an item of a list."""

    def extend(self, items: object) -> None:
        """Take items of a list."""

    def add(self, item: object) -> None:
        """Take an item of a set."""
