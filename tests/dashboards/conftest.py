import pytest


@pytest.fixture(autouse=True)
def no_wishes(monkeypatch, tmp_path):
    """Nothing that the environment of these tests says of Weights & Biases."""
    for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_API_KEY", "WANDB_RUN_ID", "WANDB_SWEEP_ID", "MARS_WANDB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "wandb-data"))
