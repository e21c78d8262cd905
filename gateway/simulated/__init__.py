"""A stand-in for the cloud service, on loopback: for the demo, the tests, and client authors."""
