"""Reproducible measurements against what people use today: `python bench/build.py`."""
