"""The method `probe`: heads on the features of frozen networks."""
