"""Which YAMLs make a stage: a base, over it what a size or data set wants otherwise. The one place that says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datamodules.errors import DataError
from mars_pl.pipeline.settings.configs import find_config


def layers(overlays: Sequence[str], *names: str) -> tuple[Path, ...]:
    """Return the YAMLs of ``<room>/<name>``, each followed by its overlays ``<room>/<overlay>/<name>`` that there are.

    Args:
        overlays: names of a size and a data set, the later before the earlier.
        names: of the bases.

    Raises:
        DataError: where a base is missing.
    """
    found: list[Path] = []
    for name in names:
        room, _, stem = name.rpartition("/")
        found.append(find_config(name))
        for overlay in overlays:
            found += shipped(f"{room}/{overlay}/{stem}")
    return tuple(found)


def of_method(overlays: Sequence[str], method: str, name: str) -> tuple[Path, ...]:
    """Return the YAMLs of a WSSS stage as a method wants it: its own ``wsss/<method>/<name>`` comes second.

    What a size or data set wants is the later, so that its small networks stay what they are under every method; what
    it wants of this method, ``wsss/<method>/<overlay>/<name>``, comes last.

    Args:
        overlays: see `layers`.
        method: which learns or scores with the stage's network.
        name: of the stage's YAML.
    """
    base, *overlay = layers(overlays, f"wsss/{name}")
    own = [path for place in overlays for path in shipped(f"wsss/{method}/{place}/{name}")]
    return (base, *shipped(f"wsss/{method}/{name}"), *overlay, *own)


def segmenter(overlays: Sequence[str], name: str) -> tuple[Path, ...]:
    """Return the YAMLs of a segmenter: those of its family first, ``deeplabv2`` for ``deeplabv2_resnet50``."""
    family = name.split("_")[0]
    shared = layers(overlays, f"segment/{family}") if family != name and shipped(f"segment/{family}") else ()
    return (*shared, *layers(overlays, f"segment/{name}"))


def masks(overlays: Sequence[str], name: str) -> tuple[Path, ...]:
    """Return the YAMLs of a segmenter's masks: it may refine them in a way of its own."""
    return (*layers(overlays, "segment/predictions"), *shipped(f"segment/{name}/predictions"))


def shipped(name: str) -> tuple[Path, ...]:
    """Return a YAML that need not be there, as none or one."""
    try:
        return (find_config(name),)
    except DataError:
        return ()
