"""`mars figures RUN`: the figures and tables of the paper from a run of one's own."""
