"""DHR (ECCV 2024) on top of MARS: labels made anew in every step from seeds, super-classes and sub-classes."""
