"""Events: what happened to renders, stored with the change that made it so and told to whoever listens."""
