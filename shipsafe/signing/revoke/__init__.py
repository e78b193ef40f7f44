"""Taking a signature back: what is revoked, who runs it, the brake, and the brake's release."""
