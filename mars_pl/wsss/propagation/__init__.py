"""What carries scores to the boundaries: confident labels, affinities of pairs, the random walk."""
