"""The outside world, one thing per file; turns its errors into ours."""
