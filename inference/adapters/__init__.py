"""One module for each model family, behind one Protocol. `base` and `planted` need no torch."""
