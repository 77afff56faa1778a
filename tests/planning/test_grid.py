"""A grid is spelt out: products, bundles, and what the sections say."""

import pytest

from sweep.planning.grid import list_products
from sweep.spec.load import make_spec

PRODUCT = {
    "network": "mobilenet",
    "alpha": [0.5, 1.0],
    "resolution": 128,
    "split": "80/10/10",
    "shuffle": {"count": 2},
    "learning_rate": 0.1,
    "steps": [10, 20],
}


def products_of(grid, **sections):
    return list(list_products(make_spec({"name": "x", "grid": grid, **sections})))


def test_what_nobody_says_is_as_the_sections_have_it_by_default():
    (axes,) = products_of(PRODUCT)
    assert axes == {
        "network": ("mobilenet",),
        "alpha": (0.5, 1.0),
        "resolution": (128,),
        "split": ("80/10/10",),
        "shuffle": (0, 1),
        "weights": ("imagenet",),
        "features": ("pooled",),
        "resize": ("bilinear",),
        "antialias": (True,),
        "scaling": ("native",),
        "optimizer": ("sgd",),
        "learning_rate": (0.1,),
        "momentum": (0.9,),
        "batch_size": (100,),
        "sampling": ("class_balanced",),
        "weight_decay": (0.0,),
        "hidden": ((),),
        "dropout": (0.0,),
        "initial_stddev": (0.001,),
        "steps": (10, 20),
    }


@pytest.mark.parametrize(
    ("sections", "name", "values"),
    [
        ({"preprocessing": {"resize": ["nearest", "lanczos"]}}, "resize", ("nearest", "lanczos")),
        ({"weights": ["imagenet", "hub"]}, "weights", ("imagenet", "hub")),
        ({"features": ["pooled", "logits"]}, "features", ("pooled", "logits")),
        ({"training": {"hidden": [[], [512, 64]]}}, "hidden", ((), (512, 64))),
        ({"training": {"hidden": [512, 64]}}, "hidden", ((512, 64),)),
    ],
)
def test_a_list_in_a_section_is_an_axis_of_every_product(sections, name, values):
    assert [axes[name] for axes in products_of([PRODUCT, PRODUCT], **sections)] == [values, values]


def test_a_bundle_stands_in_for_its_product_and_a_product_for_its_section():
    bundles = [{}, {"batch_size": 30}, {"alpha": [0.25, 1.0], "hidden": [[], [8]]}]
    found = products_of(
        [{**PRODUCT, "batch_size": 20, "bundles": bundles}, PRODUCT], training={"batch_size": 10, "hidden": [4]}
    )
    assert [(axes["alpha"], axes["batch_size"], axes["hidden"]) for axes in found] == [
        ((0.5, 1.0), (20,), ((4,),)),
        ((0.5, 1.0), (30,), ((4,),)),
        ((0.25, 1.0), (20,), ((), (8,))),
        ((0.5, 1.0), (10,), ((4,),)),
    ]
