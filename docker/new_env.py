"""Print a docker/.env with fresh secrets: `python3 docker/new_env.py > docker/.env`. Needs nothing but Python."""

import os
import secrets
import sys
from pathlib import Path

# Hexadecimal, so that each fits into a URL as it stands; the storage takes its key id in one form only.
MADE = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(64),
    "POSTGRES_PASSWORD": lambda: secrets.token_hex(24),
    "VALKEY_PASSWORD": lambda: secrets.token_hex(24),
    "STORAGE_KEY_ID": lambda: "GK" + secrets.token_hex(16),
    "STORAGE_SECRET": lambda: secrets.token_hex(32),
    "STORAGE_RPC_SECRET": lambda: secrets.token_hex(32),
}


def filled(example: str) -> str:
    """The example with a fresh value behind each name that has none and is a secret."""
    lines = []
    for line in example.splitlines():
        name, equals, value = line.partition("=")
        lines.append(f"{name}={MADE[name]()}" if equals and not value and name in MADE else line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    os.umask(0o077)
    sys.stdout.write(filled((Path(__file__).parent / ".env.example").read_text(encoding="utf-8")))
