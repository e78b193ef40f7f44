"""One file per place a function can be described; each gives the same Function."""
