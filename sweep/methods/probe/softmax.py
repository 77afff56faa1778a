"""Softmax regressions fitted together: those on common batches gather them once.

The method is that of TensorFlow's image-retraining example, with plain descent the default: W from a truncated normal,
b = 0, mean cross-entropy, constant rate, batches drawn with replacement. A head fitted with others equals the head
fitted alone, bit for bit: no product's shape depends on which heads there are.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain

from sweep.methods.probe.batches import BatchDraws, walk_through
from sweep.methods.probe.descent import Descent
from sweep.methods.probe.heads import Head, HeadData
from sweep.methods.probe.optimizers import Rows
from sweep.methods.probe.readouts import Record, gather_exam

BATCHES_BYTES = 2**19  # rows step together while their batches take no more: small ones share the calls


def fit_softmax(heads: Iterable[Head], data: HeadData) -> Iterator[Record]:
    """Fit heads without hidden layers, together where that pays, and yield what each comes to."""
    for rows in group_into_stacks(heads):
        together = max(1, BATCHES_BYTES // (rows[0][0].batch_size * data.features[0].nbytes))
        for start in range(0, len(rows), together):
            yield from _fit_rows(rows[start : start + together], data)


def group_into_stacks(heads: Iterable[Head]) -> list[Rows]:
    """Return heads that see the same batches and masks as rows, and rows with the same optimizers as stacks."""
    rows: dict[Hashable, list[Head]] = defaultdict(list)
    for head in heads:
        masks = (head.start_id, head.dropout) if head.dropout else None
        rows[head.partition_id, head.batches_id, head.batch_size, head.sampling, masks].append(head)
    stacks: dict[Hashable, list[Sequence[Head]]] = defaultdict(list)
    for row in rows.values():
        row.sort(key=lambda head: head.optimizer)
        stacks[row[0].batch_size, row[0].dropout > 0, tuple(head.optimizer for head in row)].append(row)
    return list(stacks.values())


def _fit_rows(rows: Rows, data: HeadData) -> list[Record]:
    draws = [BatchDraws(row[0], data.partitions[row[0].partition_id].training, data.labels) for row in rows]
    exams = [gather_exam(data, row[0].partition_id) for row in rows]
    records = [[Record(head) for head in row] for row in rows]
    descent = Descent(rows, data)
    for positions, step in walk_through(chain(*rows), draws):
        descent.take_steps(positions)
        for index, (row, exam) in enumerate(zip(records, exams, strict=True)):
            for number, record in enumerate(row):
                if record.is_due(step):
                    record.add(step, descent.state_of(index, number), exam)
    return list(chain(*records))
