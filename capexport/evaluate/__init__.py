"""How well an exported captioner does: against the PyTorch captioner it came from."""
