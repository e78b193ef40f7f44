"""OSV advisories: the local snapshot, matching, severity, and pip-audit's services."""
