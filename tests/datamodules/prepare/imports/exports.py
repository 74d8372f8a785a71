"""Small exports of each program, over images of a few pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def image(path: Path, value: int = 0, size: tuple[int, int] = (10, 8)) -> Path:
    """Write an image of one grey, (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value,) * 3).save(path)
    return path


def task(name: str, *results: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A task of Label Studio with one annotation."""
    return {"data": {"image": name}, "annotations": [{"result": list(results), **more}]}


def result(kind: str, *names: str, **value: Any) -> dict[str, Any]:
    """An entry of an annotation."""
    return {"type": kind, "value": {kind: list(names), **value}}


def written(path: Path, content: Any) -> Path:
    """Write text, or JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def table(root: Path) -> dict[str, list[str]]:
    """The image labels that an import wrote."""
    return json.loads((root / "labels.json").read_text())


def mask(root: Path, name: str) -> np.ndarray:
    """A mask that an import wrote."""
    return np.array(Image.open(root / "masks" / f"{name}.png"))
