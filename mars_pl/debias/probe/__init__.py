"""A linear probe of what objects are, taught by the debiased labels of all images (ours, not in the paper)."""
