"""Whether the web process of a container can serve requests: `python -m config.health`, exit 0 if so.

Asked under a host name that the site answers to, since any other is refused.
"""

import sys

from config.environment import Environment
from config.quickstart import allowed_name, answers

ADDRESS = "http://127.0.0.1:8000/readyz"

if __name__ == "__main__":
    sys.exit(not answers(ADDRESS, allowed_name(Environment.load())))
