"""`python -m shipsafe`."""
