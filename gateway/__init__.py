"""The agent: from the cloud session to the command, and back with what really happened."""
