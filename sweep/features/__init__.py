"""Frozen features: extracted once, cached."""
