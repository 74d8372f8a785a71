"""What takes part in what a fit learns: labels that are corrected, centres that features are drawn to."""
