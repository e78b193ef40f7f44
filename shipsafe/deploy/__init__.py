"""Signed code goes live step by step: look, plan, marks, code, version, smoke test, alias; and back, if it has to."""
