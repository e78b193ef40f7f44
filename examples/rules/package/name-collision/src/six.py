"""Hides the real six."""
