"""One live conversation with the cloud: connecting, holding on, and returning results."""
