"""OSV advisories: the local snapshot, matching, severity, and pip-audit's services."""

from shipsafe.advisories.sources import open_advisories

__all__ = ["open_advisories"]
