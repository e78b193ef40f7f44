"""What `shipsafe init` writes: pure text, made of what was seen in a repository and what a person answered."""
