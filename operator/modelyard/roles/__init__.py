"""Who serves and who is next: decided here, once, for the model's pass and the versions' passes. Pure."""
