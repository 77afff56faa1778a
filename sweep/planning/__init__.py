"""The planner: spec and inputs in, the least work that yields every trial out."""
