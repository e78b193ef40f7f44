"""Code-signing configurations as desired state: what is attached to which function, and how Enforce is reached without an outage."""
