"""What the model may call, and how a call becomes orders for devices."""
