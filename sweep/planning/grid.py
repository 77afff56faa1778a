"""From the sections of a spec to products of axes: lists of products, bundles and defaults spelt out. Pure."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from sweep.axes import Value
from sweep.spec.schema import AXES, Spec
from sweep.spec.values import Split

Axes = Mapping[str, tuple[Value, ...]]  # the values of each axis that is given


def list_products(spec: Spec) -> Iterator[Axes]:
    """Yield the values of every axis, product after product.

    A bundle's value stands in for the product's, and a product's for the one of its section.
    """
    base = _read(spec, ("features",)) | _read(spec.preprocessing) | _read(spec.training)
    base["weights"] = tuple(map(_to_value, spec.weights.source))
    for product in spec.grid:
        for bundle in product.bundles or (None,):
            yield base | _read(product) | (_read(bundle) if bundle else {})


def _read(section: Any, names: tuple[str, ...] = AXES) -> dict[str, tuple[Value, ...]]:
    return {name: tuple(map(_to_value, values)) for name in names if (values := getattr(section, name, ()))}


def _to_value(value: Any) -> Value:
    if isinstance(value, Split):
        return str(value)
    plain: Value = value.value if isinstance(value, Enum) else value
    return plain
