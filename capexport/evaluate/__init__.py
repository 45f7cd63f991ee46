"""How well an exported captioner does: against PyTorch, and against what people said."""
