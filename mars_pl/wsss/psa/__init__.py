"""PSA's AffinityNet."""
