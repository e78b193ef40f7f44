"""What takes the place of third-party actions: each keeps the rules of the real one that a workflow can trip over."""
