"""Weights of timm's hub: by which repository a model goes, and whether its file lies in the cache (``HF_HOME``)."""

from __future__ import annotations

WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")
"""What a repository of timm's holds; the first wherever there are both."""


def repository(name: str) -> str:
    """Return the hub's repository of a timm model; a name without its weights' tag gets timm's own default."""
    if "." not in name:
        import timm  # loads torch, which a name with its tag needs not

        config = timm.get_pretrained_cfg(name, allow_unregistered=True)
        if config is not None and config.tag:
            name = f"{config.architecture}.{config.tag}"
    return f"timm/{name}"


def cached(name: str) -> bool:
    """Tell whether a timm model's weights lie in the cache that offline runs read."""
    from huggingface_hub import try_to_load_from_cache

    return any(isinstance(try_to_load_from_cache(repository(name), file), str) for file in WEIGHTS_FILES)
