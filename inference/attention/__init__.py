"""Attention of a few rows, taken while a model runs. Imports torch: never loaded by the web process."""
