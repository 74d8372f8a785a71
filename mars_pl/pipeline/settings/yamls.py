"""Which YAMLs make a stage: a base, and over it what a data set wants otherwise. The one place that says so."""

from __future__ import annotations

from pathlib import Path

from datamodules.errors import DataError
from mars_pl.pipeline.settings.configs import find_config


def layers(data: str, *names: str) -> tuple[Path, ...]:
    """Return the YAMLs of ``<room>/<name>``, each followed by its overlay ``<room>/<data>/<name>`` where there is one.

    Args:
        data: the data set's name.
        names: of the bases.

    Raises:
        DataError: where a base is missing.
    """
    found: list[Path] = []
    for name in names:
        room, _, stem = name.partition("/")
        found.append(find_config(name))
        found += shipped(f"{room}/{data}/{stem}")
    return tuple(found)


def classifier(data: str, method: str, name: str) -> tuple[Path, ...]:
    """Return the YAMLs of a WSSS classifier as a method trains it: its own ``wsss/<method>/<name>`` comes second.

    What a data set wants is the later, so that its small networks stay what they are under every method.

    Args:
        data: the data set's name.
        method: which learns or scores with the classifier.
        name: of the classifier.
    """
    base, *overlay = layers(data, f"wsss/{name}")
    return (base, *shipped(f"wsss/{method}/{name}"), *overlay)


def segmenter(data: str, name: str) -> tuple[Path, ...]:
    """Return the YAMLs of a segmenter: those of its family first, ``deeplabv2`` for ``deeplabv2_resnet50``."""
    family = name.split("_")[0]
    shared = layers(data, f"segment/{family}") if family != name and shipped(f"segment/{family}") else ()
    return (*shared, *layers(data, f"segment/{name}"))


def masks(data: str, name: str) -> tuple[Path, ...]:
    """Return the YAMLs of a segmenter's masks: it may refine them in a way of its own."""
    return (*layers(data, "segment/predictions"), *shipped(f"segment/{name}/predictions"))


def shipped(name: str) -> tuple[Path, ...]:
    """Return a YAML that need not be there, as none or one."""
    try:
        return (find_config(name),)
    except DataError:
        return ()
