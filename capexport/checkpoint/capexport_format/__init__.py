"""capexport's own checkpoint: what pruning writes, for every architecture; see README.md."""
