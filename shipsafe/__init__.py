"""shipsafe: what you audited is what you signed, and what you signed is what runs."""

__version__ = "0.1.0"
