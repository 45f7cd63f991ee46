"""A bundle into the Android demo, and what of it can be built here without Android's own tools."""
