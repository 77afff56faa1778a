"""A trial: a point on the axes, and its identity."""

from dataclasses import dataclass

from sweep.axes import Point


@dataclass(frozen=True, slots=True)
class Trial:
    """One fully resolved configuration with one result.

    Ids are 16 hex digits of SHA-256 over canonical JSON of all that can change what they name. `id`: the result.
    `fit_id`: the training; trials that share it are read-outs of one. `network_id`: the network's outputs on the
    images; `partition_id`: which image goes where, given the data set. `point` is parallel to the plan's axes.
    """

    id: str
    fit_id: str
    network_id: str
    partition_id: str
    point: Point
