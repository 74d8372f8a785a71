"""From folders of files to shards, and back."""
