"""Staging, file selection, the deterministic archive, native-code inspection, publishing."""
