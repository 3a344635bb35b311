"""Commands of a running product, one after the other in one process: `python -m tests.e2e.steward`.

What `manage.py` does, without starting Python and Django for each: a test makes half a dozen readers. A line in is the
arguments and the standard input of a command as JSON, a line out its exit status, output and errors.
"""

import contextlib
import io
import json
import os
import sys
import traceback

from django.core.management import execute_from_command_line


def run(arguments: list[str], given: str) -> tuple[int, str, str]:
    """Exit status, output and errors of one command."""
    told, wrong, status = io.StringIO(), io.StringIO(), 0
    sys.stdin = io.StringIO(given)
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(wrong):
        try:
            execute_from_command_line(["manage.py", *arguments])
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except Exception:  # noqa: BLE001 as Python itself ends: the test shows it
            traceback.print_exc()
            status = 1
    return status, told.getvalue(), wrong.getvalue()


def main() -> None:
    """Serve until the input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    asked, answers = sys.stdin, sys.stdout
    for line in asked:
        arguments, given = json.loads(line)
        print(json.dumps(run(arguments, given)), file=answers, flush=True)


if __name__ == "__main__":
    main()
