"""The centroids stage's candidates on their way from each process's journal to one table and what is said of it."""
