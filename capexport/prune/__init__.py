"""Captioned images + a recipe -> a trained checkpoint; a dense checkpoint -> a pruned one."""
