"""Lambda as shipsafe needs it locally: everything that decides which code is deployed, and nothing that runs it."""
