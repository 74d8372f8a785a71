"""`mars export FIT TARGET`: the trained network of a segment fit as ONNX, checked against onnxruntime.

`mars export candidates …` is another matter: see ``candidates``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from datamodules.errors import DataError
from mars_pl.commands.export import candidates


def main(argv: Sequence[str]) -> int:
    """Run the command; returns 0.

    Args:
        argv: the words after ``mars export``.

    Raises:
        DataError: where the fit cannot be read, or the extra `export` is not installed.
        ValueError: where the weights are another network's, or the check fails; no file is left then.
    """
    if argv[:1] == ["candidates"]:
        return candidates.main(argv[1:])
    options = parser().parse_args(argv)
    require_extra()
    from mars_pl.commands.export.onnx_file import export_onnx
    from mars_pl.fitted import read_network

    network, class_names = read_network(options.fit, options.weights, options.network)
    size = tuple(options.size) if options.size else None
    check = export_onnx(network, options.target, class_names, options.input, options.output, size)
    sides = ", ".join(map(str, size or "HW"))
    print(f"{options.target}: images {options.input} (B, 3, {sides}) in 0…255 → {check.result}")
    print(f"  one view of each image: scale 1, no flip, no refinement; {options.network}")
    print(f"  {check.words}")
    return 0


def require_extra() -> None:
    """Raise DataError where a package of the extra `export` is missing."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise DataError(f"mars export needs {error.name}: pip install 'mars-pl[export]'") from None


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    about = "The trained network of a segment fit as ONNX, for any number, height and width of images."
    more = "`mars export candidates SOURCE TARGET` writes the candidates of the centroids stage as CSV."
    reader = argparse.ArgumentParser(prog="mars export", description=about, epilog=more)
    words = "folder of a segment fit (fit.yaml and weights.safetensors), or a configuration YAML with --weights"
    reader.add_argument("fit", type=Path, metavar="FIT", help=words)
    reader.add_argument("target", type=Path, metavar="TARGET", help="file to write, e.g. segmenter.onnx")
    reader.add_argument("--weights", type=Path, metavar="FILE", help="other weights of the same network")
    words = "which network of the fit (default: teacher)"
    reader.add_argument("--network", choices=("teacher", "student"), default="teacher", help=words)
    words = "type of the images, both of 0…255 (default: uint8)"
    reader.add_argument("--input", choices=("uint8", "float32"), default="uint8", help=words)
    words = "logits of each class at the image's size, or class ids (default: logits)"
    reader.add_argument("--output", choices=("logits", "masks"), default="logits", help=words)
    words = "height and width of all images (default: any), for networks that cannot be traced for any"
    reader.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help=words)
    return reader
