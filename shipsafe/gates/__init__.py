"""One file per question; each ends in its GATE constant."""
