"""shipsafe.toml -> Policy, with its waivers and its digest."""
