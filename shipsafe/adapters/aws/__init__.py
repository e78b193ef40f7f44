"""AWS: sessions and clients, its refusals as ours, and the few calls of each service that we make."""
