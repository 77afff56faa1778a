"""The backbones: weights found, networks built, their cost counted."""
