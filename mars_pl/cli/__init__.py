"""The command `mars`."""
