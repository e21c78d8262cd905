"""A stand-in for the world around the gateway: the cloud service, on loopback."""
