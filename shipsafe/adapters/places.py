"""Where things that outlive a run are kept: the user's cache folder."""

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """`SHIPSAFE_CACHE_DIR` where it is set, else the platform's cache folder for shipsafe. It need not exist yet."""
    chosen = os.environ.get("SHIPSAFE_CACHE_DIR")
    return Path(chosen).absolute() if chosen else Path(platformdirs.user_cache_dir("shipsafe"))
