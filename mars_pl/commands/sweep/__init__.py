"""`mars sweep RUN alpha=… …`: settings of the debiasing gone over, everything before them shared (Fig. 10)."""
