"""What `mars` does without Lightning: a folder each command, and beside them what several commands share."""
