"""Figures of a sweep: first the data of every mark, then the drawing."""
