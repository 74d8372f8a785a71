"""What is wrong with a command's options, in one line: jsonargparse tells of every type that a value might have had."""

from __future__ import annotations

import re

FRAME = ("Does not validate against any of the Union", "Subtypes: ", "Errors:", "Given value type: ", "Given value: ")
"""Beginnings of the lines around the one that a person needs."""

CALLED = re.compile(
    r"Type [\w.]*Callable\[.*\] expects a function or a callable class: (?P<why>[\s\S]*?)\.+ Got value: "
    r"Namespace\((?:class_path='(?P<first>[\w.]+)'.*|.*class_path='(?P<last>[\w.]+)')\)$",
    re.MULTILINE,
)
"""What the parser says of a class that is called later, with one more argument."""


def first_fault(message: str) -> str:
    """Return a message's first line of reasoning as one line: of each union what its first type, the wanted one, says.

    A message that is not the parser's comes back with its white space made even.
    """
    kept: list[str] = []
    bullets: list[int] = []  # indents of the bullets that are open
    skipped: int | None = None  # indent of the bullet whose lines are left out
    for line in message.splitlines():
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if skipped is not None and indent > skipped:
            continue
        skipped = None
        bullets = [other for other in bullets if other <= indent]
        if bullets and text.startswith("- ") and indent in bullets:
            skipped = indent
            continue
        if text.startswith("- "):
            bullets.append(indent)
            text = text[2:]
        if text and not text.startswith(FRAME):
            kept.append(text)
    line = " ".join(" ".join(kept).split())
    line = CALLED.sub(lambda found: f"{called_class(found).rpartition('.')[2]}: {found['why']}", line)
    line = re.sub(r"Problem with given class_path '(?:[\w]+\.)*(\w+)'", r"\1", line)
    return re.sub(r'Parser key "([^"]+)"', r"\1", line)


def called_class(found: re.Match[str]) -> str:
    """Return the path of the class that a match of ``CALLED`` is about."""
    return found["first"] or found["last"]
