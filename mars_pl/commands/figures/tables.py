"""A table of figures as Markdown and as LaTeX, ready to be pasted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "−": "$-$",
           "✓": r"\checkmark", "×": r"$\times$", "→": r"$\to$"}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of a table.

    Attributes:
        cells: words and numbers, as many as there are headings.
        strong: its numbers are what the table is about.
        begins: a group of lines begins with it.
    """

    cells: tuple[str, ...]
    strong: bool = False
    begins: bool = False


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper.

    Attributes:
        name: `table4`, as on the command line.
        title: what it is.
        heads: the headings; the first `words` columns hold words, the others numbers.
        words: how many.
        lines: its lines.
        caption: what a reader has to know.
    """

    name: str
    title: str
    heads: tuple[str, ...]
    words: int
    lines: tuple[Line, ...]
    caption: str


def markdown(table: PaperTable) -> str:
    """Return a table as Markdown, its caption above it."""
    rules = [":--" if place < table.words else "--:" for place in range(len(table.heads))]
    lines = [table.heads, tuple(rules)]
    lines += [
        tuple(
            f"**{cell}**" if line.strong and cell and place >= table.words else cell
            for place, cell in enumerate(line.cells)
        )
        for line in table.lines
    ]
    body = "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
    return f"**{table.title}.** {table.caption}\n\n{body}\n"


def latex(table: PaperTable) -> str:
    """Return a table as LaTeX; it wants the packages booktabs and amssymb."""

    def bold(cell: str) -> str:
        return rf"\textbf{{{cell}}}"

    columns = "l" * table.words + "r" * (len(table.heads) - table.words)
    body = [_row(table.heads), r"\midrule"]
    for place, line in enumerate(table.lines):
        safe = replace(line, cells=tuple(map(escaped, line.cells)))
        body += [r"\midrule"] * (line.begins and place > 0) + [" & ".join(_marked(safe, table.words, bold)) + r" \\"]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs,amssymb}",
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{escaped(table.title)}. {escaped(table.caption)}}}",
            f"  \\label{{tab:{table.name}}}",
            f"  \\begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            *(f"    {line}" for line in body),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Return text as LaTeX sets it."""
    found = re.sub(
        r"[&%$#_{}]", lambda match: f"\\{match[0]}", re.sub(r"[\\~^–−✓×→]", lambda match: f"\0{match[0]}", text)
    )
    return re.sub("\0(.)", lambda match: SPECIAL[match[1]], found)


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(escaped, cells)) + r" \\"


def _marked(line: Line, words: int, mark: Callable[[str], str]) -> list[str]:
    """The cells of a line, the numbers of a strong one marked."""
    return [mark(cell) if line.strong and cell and place >= words else cell for place, cell in enumerate(line.cells)]
