"""Each row of docs/fidelity.md names a test that is there, or says that it is words alone."""

import ast
import re

import pytest

from tests.pipeline.tiny_run import REPOSITORY

PAGE = (REPOSITORY / "docs" / "fidelity.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| part ")]
WORDS = ("–", "none: a row of words")


def functions(path):
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=[re.sub(r"\W+", "_", row)[:50] for row in ROWS])
def test_a_row_is_held_by_tests(row):
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
    assert len(cells) == 5 and all(cells)
    named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", cells[4])
    assert named or cells[4] in WORDS
    for path, function in named:
        assert (REPOSITORY / path).is_file(), path
        assert not function or function in functions(REPOSITORY / path), function


def test_every_part_has_rows_and_every_transcription_is_named():
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    assert len(sections) == 9 and all(section.count("\n| ") >= 4 for section in sections)
    for path in (REPOSITORY / "tests" / "fidelity").glob("test_*.py"):
        assert f"tests/fidelity/{path.name}" in PAGE, "a transcription that no row tells of"
