"""`mars run … wandb=`: what each finished stage, and the run as a whole, show in Weights & Biases."""
