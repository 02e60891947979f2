"""How fast a network is on a device: predictions."""
