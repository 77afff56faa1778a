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
        self._folders: dict[Path, Path] = {}  # resolved
        self._changed = False
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            stored = json.loads(path.read_text())
            if stored["version"] == CACHE_VERSION:
                files, verdicts = stored["files"].items(), stored["verdicts"].items()
                self._known = {place: known for place, known in files if _is_known(known)}
                self._verdicts = {content: verdict for content, verdict in verdicts if isinstance(verdict, bool)}

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
        place = self._find_place(path)
        known = self._known.get(place)
        if known is None or known[:2] != [status.st_size, status.st_mtime_ns]:
            known = [status.st_size, status.st_mtime_ns, sha256(path.read_bytes()).hexdigest()]
            self._known[place] = known
            self._changed = True
        return str(known[2])

    def _find_place(self, path: Path) -> str:
        """Return the path from the root, the same from wherever it is named; each folder is looked up once."""
        folder = self._folders.get(path.parent)
        if folder is None:
            folder = self._folders[path.parent] = path.parent.resolve()
        return os.path.join(folder, path.name)  # noqa: PTH118 - faster than Path, and there are thousands

    def _judge_file(self, path: Path, judge: Callable[[bytes], bool]) -> bool:
        content = self._hash_file(path)
        if content not in self._verdicts:
            self._verdicts[content] = judge(path.read_bytes())
            self._changed = True
        return self._verdicts[content]

    @contextmanager
    def _saving(self) -> Iterator[None]:
        try:
            yield
        finally:  # what was read before an interrupt need not be read again
            if self._changed:
                stored = {"version": CACHE_VERSION, "files": self._known, "verdicts": self._verdicts}
                with write_beside(self.path) as file:
                    file.write(json.dumps(stored).encode())
                self._changed = False


def _is_known(known: object) -> bool:
    """Whether an entry is [size, time, SHA-256]."""
    return isinstance(known, list) and [type(part) for part in known] == [int, int, str] and len(known[2]) == 64
