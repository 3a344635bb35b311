"""Numbers from what experts say: pure functions of arrays, importable without Django."""
