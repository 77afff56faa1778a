"""The networks: a table of what is offered, weights found, networks built, their cost counted."""
