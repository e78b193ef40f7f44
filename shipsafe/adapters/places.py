"""Where things that outlive a run are kept: the user's folders for what can be made again, and for what cannot."""

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """`SHIPSAFE_CACHE_DIR` where it is set, else the platform's cache folder for shipsafe. It need not exist yet."""
    chosen = os.environ.get("SHIPSAFE_CACHE_DIR")
    return Path(chosen).absolute() if chosen else Path(platformdirs.user_cache_dir("shipsafe"))


def config_dir() -> Path:
    """`SHIPSAFE_CONFIG_DIR`, else the platform's configuration folder, for what no cache may replace. It need not exist yet."""
    chosen = os.environ.get("SHIPSAFE_CONFIG_DIR")
    return Path(chosen).absolute() if chosen else Path(platformdirs.user_config_dir("shipsafe"))
