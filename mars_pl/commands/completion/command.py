"""``mars completion SHELL``: prints the lines that make a shell complete `mars`'s words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from datamodules.errors import DataError

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")


def main(argv: Sequence[str]) -> int:
    """Print the script of one shell.

    Args:
        argv: the words after ``mars completion``.

    Raises:
        DataError: where argcomplete is not installed.
    """
    shell = parser().parse_args(argv).shell
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError:
        raise DataError("argcomplete is not installed; pip install 'mars-pl[completion]'") from None
    sys.stdout.write(shellcode(["mars"], shell=shell) + "\n")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of this command."""
    reader = argparse.ArgumentParser(
        prog="mars completion",
        description="Prints what makes a shell complete commands, choices and their values. "
        'bash and zsh: eval "$(mars completion bash)" in .bashrc or .zshrc; '
        "fish: mars completion fish > ~/.config/fish/completions/mars.fish",
    )
    reader.add_argument("shell", choices=SHELLS)
    return reader
