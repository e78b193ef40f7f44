"""Rules of the gate `dependencies` that no advisory answers: which index a distribution came from, since when, and what for."""
