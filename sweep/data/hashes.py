"""SHA-256 of files, remembered by path, size and modification time."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from sweep.data.files import write_beside

CACHE_VERSION = 1


class HashCache:
    """Content hashes of files that were read before. Losing it costs a second reading, nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, list[int | str]] = {}
        with suppress(OSError, ValueError):
            stored = json.loads(path.read_text())
            if isinstance(stored, dict) and stored.get("version") == CACHE_VERSION:
                self._known = stored["files"]

    def hash_files(self, paths: Iterable[Path]) -> list[str]:
        """Return the SHA-256 (64 hex digits) of each file, reading only those that changed."""
        changed = False
        hashes = []
        for path in paths:
            status = os.stat(path)  # noqa: PTH116 - Path.stat is slower, and there are thousands
            known = self._known.get(str(path))
            if known is None or known[:2] != [status.st_size, status.st_mtime_ns]:
                known = [status.st_size, status.st_mtime_ns, sha256(path.read_bytes()).hexdigest()]
                self._known[str(path)] = known
                changed = True
            hashes.append(str(known[2]))
        if changed:
            self._save()
        return hashes

    def _save(self) -> None:
        with write_beside(self.path) as file:
            file.write(json.dumps({"version": CACHE_VERSION, "files": self._known}).encode())
