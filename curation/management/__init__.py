"""Commands of this app, and what every command shares."""
