"""The DatasetRun controller: an object that arrived in a bucket becomes exactly one effective run."""
