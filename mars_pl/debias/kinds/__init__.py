"""Two kinds of candidates a class, target and companion, parted where the data shows both (ours, not in the paper)."""
