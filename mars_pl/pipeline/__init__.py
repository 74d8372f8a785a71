"""The stages in the order of the paper: their inputs, settings, outputs and fingerprints. Knows no torch."""
