"""One file per way of writing a verdict; each ends in its REPORT constant."""
