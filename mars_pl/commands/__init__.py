"""Commands that answer without Lightning: evaluate, report."""
