"""The child process that decodes: reads files from stdin, one after the other, answers on stdout. No Django.

A request is a header line of JSON ``{"bytes": n, "max_pixels": n, "max_content_bytes": n, "seconds": n}`` and n bytes.
An answer is a header line of JSON ``{"bytes": n, "facts": {...}}`` and n bytes of content, or
``{"bytes": 0, "refused": cause}``.
JSON and raw bytes only: nothing that the parent would have to execute to read.
"""

import contextlib
import dataclasses
import json
import os
import resource
import sys
import time
from typing import BinaryIO

from curation.formats.decoded import UndecodableError
from curation.formats.decoding import decode


def main(memory_mb: int) -> None:
    """Serve until stdin ends."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # Codecs in C print what they please: neither into the answers nor into a log that keeps what they quote.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    _lower(resource.RLIMIT_AS, memory_mb * 1024 * 1024)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    while header := requests.readline(4096):
        _serve(json.loads(header), requests, answers, memory_mb)


def _serve(request: dict[str, int], requests: BinaryIO, answers: BinaryIO, memory_mb: int) -> None:
    _lower(resource.RLIMIT_CPU, int(time.process_time()) + max(request["seconds"], 1) + 1)
    content, answer = b"", {}
    try:
        data = requests.read(request["bytes"])
        image = decode(data, max_pixels=request["max_pixels"], max_content_bytes=request["max_content_bytes"])
        del data
        content = image.content
        facts = {field.name: getattr(image, field.name) for field in dataclasses.fields(image)}
        del facts["content"]
        facts["windows"] = [dataclasses.asdict(window) for window in image.windows]
        facts["voi_luts"] = [dataclasses.asdict(lut) for lut in image.voi_luts]
        answer = {"bytes": len(content), "facts": facts}
    except UndecodableError as error:
        answer = {"bytes": 0, "refused": str(error)}
    except MemoryError:
        answer = {"bytes": 0, "refused": f"needs more than {memory_mb} MB of memory to decode", "worn": True}
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.write(content)
    answers.flush()


def _lower(limit: int, value: int) -> None:
    """Lower a soft limit as far as the system has it: macOS knows no limit of address space."""
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


if __name__ == "__main__":
    main(int(sys.argv[1]))
