"""Folders that Hugging Face transformers saves: config.json, safetensors, tokenizer."""
