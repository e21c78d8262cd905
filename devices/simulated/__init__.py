"""A house of simulated devices that can be told to misbehave."""
