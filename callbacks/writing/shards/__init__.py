"""Label files of a predict job as shards, in its folder or in an object store."""
