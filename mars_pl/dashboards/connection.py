"""Whether Weights & Biases can be had, asked before the first stage starts and not after hours."""

from __future__ import annotations

import netrc
import os
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlparse

from datamodules.errors import DataError
from mars_pl.dashboards.identity import Mode

PATIENCE = 10
"""Seconds that the server has to answer."""

OFFLINE = "or write its files here by wandb=offline, for `wandb sync` later"


def check_connection(mode: Mode) -> None:
    """Look for the package, and for ``online`` for a login and the server.

    Raises:
        DataError: where one of them is missing.
    """
    if find_spec("wandb") is None:
        raise DataError("wandb=: the package wandb is not installed; pip install wandb, or leave the word out")
    if mode == "offline":
        return
    import wandb

    server = wandb.setup().settings.base_url  # of W&B, or of one's own, as `wandb login --host` left it
    if not _has_login(urlparse(server).hostname or ""):
        raise DataError(f"wandb=online: no login for {server}; run `wandb login` or set WANDB_API_KEY once, {OFFLINE}")
    try:
        with urllib.request.urlopen(urllib.request.Request(server, method="HEAD"), timeout=PATIENCE):
            pass
    except urllib.error.HTTPError:
        pass  # it answers
    except OSError as error:
        why = " ".join(str(getattr(error, "reason", error)).split())
        raise DataError(f"wandb=online: {server} does not answer ({why}); go online, {OFFLINE}") from None
    try:
        wandb.login(verify=True, timeout=PATIENCE)
    except Exception as error:  # of several kinds, each of which says why
        why = " ".join(str(error).split())[:200]
        raise DataError(f"wandb=online: {server} refuses the login ({why}); run `wandb login --relogin`") from None


def _has_login(host: str) -> bool:
    """Tell whether there is a key, without being asked for one."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    for place in (os.environ.get("NETRC"), Path.home() / ".netrc", Path.home() / "_netrc"):
        try:
            if place and netrc.netrc(place).authenticators(host):
                return True
        except (OSError, netrc.NetrcParseError):
            continue
    return False
