"""Weights & Biases: who a run there is, and how things are shown; wandb itself is imported once something is logged."""
