import json

import pytest

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"layers": 1, "width": 16, "head_width": 8, "patch_size": 8, "image_size": 32},
    "text_cfg": {"layers": 1, "width": 16, "heads": 2, "context_length": 77, "vocab_size": 49408},
}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The name of a CLIP of 800,000 random weights, which open_clip knows from its configuration."""
    open_clip = pytest.importorskip("open_clip")
    path = tmp_path_factory.mktemp("clip") / "tiny-clip.json"
    path.write_text(json.dumps(TINY))
    open_clip.add_model_config(path)
    return path.stem
