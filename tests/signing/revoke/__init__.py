"""Revoking, and the emergency brake."""
