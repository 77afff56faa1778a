"""SHA-256 of files and whether they decode, remembered by path, size and modification time."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from sweep.data.files import write_beside

CACHE_VERSION = 1


class HashCache:
    """Content hashes of files that were read before. Losing it costs a second reading, nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, list[int | str]] = {}
        self._verdicts: dict[str, bool] = {}  # by content
        with suppress(OSError, ValueError, KeyError):
            stored = json.loads(path.read_text())
            if isinstance(stored, dict) and stored.get("version") == CACHE_VERSION:
                self._known, self._verdicts = stored["files"], stored["verdicts"]

    def hash_files(self, paths: Iterable[Path]) -> list[str]:
        """Return the SHA-256 (64 hex digits) of each file, reading only those that changed."""
        with self._saving():
            return [self._hash_file(path) for path in paths]

    def judge_files(self, paths: Iterable[Path], judge: Callable[[bytes], bool]) -> list[bool]:
        """Return what `judge` says of each file's content, asking it only about contents it has not seen."""
        with self._saving():
            return [self._judge_file(path, judge) for path in paths]

    def _hash_file(self, path: Path) -> str:
        status = os.stat(path)  # noqa: PTH116 - Path.stat is slower, and there are thousands
        known = self._known.get(str(path))
        if known is None or known[:2] != [status.st_size, status.st_mtime_ns]:
            known = [status.st_size, status.st_mtime_ns, sha256(path.read_bytes()).hexdigest()]
            self._known[str(path)] = known
            self._changed = True
        return str(known[2])

    def _judge_file(self, path: Path, judge: Callable[[bytes], bool]) -> bool:
        content = self._hash_file(path)
        if content not in self._verdicts:
            self._verdicts[content] = judge(path.read_bytes())
            self._changed = True
        return self._verdicts[content]

    @contextmanager
    def _saving(self) -> Iterator[None]:
        self._changed = False
        try:
            yield
        finally:  # what was read before an interrupt need not be read again
            if self._changed:
                stored = {"version": CACHE_VERSION, "files": self._known, "verdicts": self._verdicts}
                with write_beside(self.path) as file:
                    file.write(json.dumps(stored).encode())
