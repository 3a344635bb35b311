"""Demo content: real images that ship in a package, with questions a lay eye or a header answers."""
