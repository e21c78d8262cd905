"""Commands on their way: their states, their retries, and the evidence that ends them."""
