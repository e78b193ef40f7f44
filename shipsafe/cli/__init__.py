"""One file per command: parse, call one flow, render, exit."""
