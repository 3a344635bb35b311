"""Attention of a few rows, taken while a model runs. Imports torch and transformers: never loaded by the web process."""
