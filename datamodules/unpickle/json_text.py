"""JSON of anybody's, within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from datamodules.unpickle.bounds import check_plain


def read_json_text(text: str | bytes, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Read JSON.

    Args:
        text: of the file.
        pairs: makes something else than a dict of an object's keys and values.

    Raises:
        ValueError: where it is none, is nested deeper than it can be walked, or holds numbers beyond 64 bits.
    """
    try:
        content = json.loads(text, object_pairs_hook=pairs)
    except RecursionError:
        raise ValueError("nested too deep") from None
    check_plain(content, len(text))
    return content
