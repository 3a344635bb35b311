"""Write docker/.env with fresh secrets, for its owner alone: `python3 docker/new_env.py`. Needs nothing but Python."""

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
    folder = Path(__file__).parent
    try:
        made = os.open(folder / ".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.exit("docker/.env is there already: its secrets are those of the databases, and stay")
    with os.fdopen(made, "w", encoding="utf-8") as file:
        file.write(filled((folder / ".env.example").read_text(encoding="utf-8")))
