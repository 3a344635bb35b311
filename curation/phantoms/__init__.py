"""Generated pictures that are no patient's: seeded, CC0, labelled synthetic, with a truth known by construction."""
