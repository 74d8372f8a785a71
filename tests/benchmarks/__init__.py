"""What the slow parts cost: `make bench` prints a table, each line from a process of its own. Nothing is asserted."""
