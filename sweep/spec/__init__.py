"""What the user asks: a YAML file, checked."""
