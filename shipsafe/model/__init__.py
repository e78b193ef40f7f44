"""Frozen nouns; imports nothing of ours but errors."""
