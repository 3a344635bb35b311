"""The demo family: a very small LLaVA trained here on generated phantoms, its controls, and how they were made.

`adapter` loads it, `train` and `evaluate` are commands, CARD.md says what it can and cannot do. Weights in
`checkpoint/`: `trained` and `share`; the third set, `random`, is made from the configuration and a seed.
"""
