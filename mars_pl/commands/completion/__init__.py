"""`mars completion`: the shell completes commands, choices and their values."""
