"""What this app does when something happens below."""
