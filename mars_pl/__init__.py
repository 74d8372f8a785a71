"""MARS (ICCV 2023): biased object removal for weakly-supervised semantic segmentation."""

from mars_pl.renamed import install as _install_old_paths

_install_old_paths()


def __getattr__(name: str) -> str:
    """Give ``__version__`` to who asks; no command waits for it to be looked up."""
    if name == "__version__":
        from mars_pl.version import running_version

        return running_version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
