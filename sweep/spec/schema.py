"""What a user asks: frozen, closed models of the YAML file, with every default written out.

The docstrings below the fields end up in the JSON schema that `sweep schema` prints for editors.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    WrapSerializer,
    create_model,
    model_serializer,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import WithDefaultSchema

from sweep.axes import Role
from sweep.networks.table import NETWORKS, FeatureKind, Scaling, WeightsSource
from sweep.spec.values import (
    NAME_PATTERN,
    PATIENT_GROUP,
    Batch,
    Closed,
    Count,
    DataSource,
    Fallback,
    Lax,
    Lists,
    NotNegative,
    OneOrMore,
    Optimizer,
    OrCount,
    Rate,
    Resize,
    Sampling,
    Seed,
    Share,
    SplitField,
    Undecodable,
    Values,
    Width,
)

MAX_TRIALS = 2_000_000  # about 2 GB to plan
PAPERS = Literal["duong-trung-2019"]


class DemoSpec(Closed):
    """The embedded, drawn data set."""

    images: Annotated[int, Field(ge=20, le=100_000)] = 600
    """How many radiograph-like pictures are drawn."""
    seed: Seed = 0
    """The same seed draws the same pictures."""


def _check_regex(text: str) -> str:
    try:
        pattern = re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"is no regular expression: {error} (allowed: {PATIENTS_REGEX})") from None
    if pattern.groups != 1 and PATIENT_GROUP not in pattern.groupindex:
        raise ValueError(f"has {pattern.groups or 'no'} groups (allowed: {PATIENTS_REGEX})")
    return text


PATIENTS_REGEX = f"one group (...), or one named (?P<{PATIENT_GROUP}>...)"
PATIENTS_FORMS = "folder, {regex: ...} or {csv: ...}"


class PatientsSpec(Closed):
    """What names the patients: exactly one of its keys. `folder` is short for `{folder: true}`."""

    folder: bool = False
    """A folder for each patient within the class: CLASS/PATIENT/FILE."""
    regex: Annotated[str, Field(min_length=1), AfterValidator(_check_regex)] | None = None
    """A regular expression that finds the patient in the file's name: one group, or one named `patient`."""
    csv: Annotated[str, Field(min_length=1)] | None = None
    """A CSV file with the columns `file` and `patient`."""

    @model_serializer
    def _shorten(self) -> str | dict[str, str]:
        if self.folder:
            return "folder"
        return {"csv": self.csv} if self.csv is not None else {"regex": self.regex or ""}


def _expand_patients(value: Any) -> Any:
    if value == "folder":
        return {"folder": True}
    if value is None or isinstance(value, dict | PatientsSpec):
        return value
    raise ValueError(f"is not offered (allowed: {PATIENTS_FORMS})")


PatientsField = Annotated[
    PatientsSpec | None,
    BeforeValidator(_expand_patients, json_schema_input_type=Literal["folder"] | PatientsSpec | None),
]


class DataSpec(Closed):
    """Which images, and what to do where they are missing or damaged."""

    source: Annotated[DataSource, Lax] = DataSource.FOLDER
    """`folder`: the user's images; `demo`: the embedded drawn ones."""
    folder: Annotated[str, Field(min_length=1)] = "data/chest_xray"
    """A folder with one folder per class; `--data` and `$SWEEP_DATA` are looked at first."""
    subfolder: Annotated[str, Field(pattern=NAME_PATTERN)] | None = None
    """The part of the folder to use where it has such a part, for example `train`."""
    fallback: Annotated[Fallback, Lax] = Fallback.NONE
    """`demo`: where the folder is missing, go on with drawn images and say so."""
    undecodable: Annotated[Undecodable, Lax] = Undecodable.ERROR
    """A file that cannot be decoded is an `error`, or left out (`skip`) and counted."""
    patients: PatientsField = None
    """What names the patients: `folder`, `{regex: ...}` or `{csv: ...}`; by default the publisher's file names."""
    demo: DemoSpec = DemoSpec()
    """How the drawn images are made, where they are used."""


class Fields(Closed):
    """Fields that may be lists; what is not given is no part of what is written out."""

    @model_serializer(mode="wrap")
    def _leave_out_what_is_not_given(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if getattr(self, name) != ()}


def _refuse_empty_list(value: Any) -> Any:
    if isinstance(value, list | tuple) and not value:
        raise PydanticCustomError("empty_axis", "a list has no item")
    return value


class PreprocessingSpec(Fields):
    """What happens to an image before the network. Any field may be a list, and is then an axis."""

    resize: Values[Annotated[Resize, Lax]] = (Resize.BILINEAR,)
    """How an image is brought to the network's resolution; its aspect ratio is not kept."""
    antialias: Values[bool] = (True,)
    """Whether `bilinear` averages over the source pixels when it shrinks an image; the others are as they are."""
    scaling: Values[Annotated[Scaling, Lax]] = (Scaling.NATIVE,)
    """Pixels to numbers: `native` as the weights were trained, `symmetric` -1 to 1, `unit` 0 to 1, `none` 0 to 255."""


class WeightsSpec(Closed):
    """Where the networks' weights come from."""

    source: Values[Annotated[WeightsSource, Lax]] = (WeightsSource.IMAGENET,)
    """`imagenet` (keras.applications), `hub` (TensorFlow Hub), `file` (a Keras weights file) or `random`."""
    path: Annotated[str, Field(min_length=1)] | None = None
    """For `file` a weights file, for `hub` a SavedModel; may contain {network}, {alpha} and {resolution}."""


SHORT_FORMS = {"weights": "source"}  # a section that may be written as the value of this one of its keys
FORMER_NAMES = {  # of version 0.1.0: (section, name)
    ("grid", "backbone"): ("grid", "network"),
    ("data", "antialias"): ("preprocessing", "antialias"),
}


def _expand_source(value: Any) -> Any:
    return {SHORT_FORMS["weights"]: value} if isinstance(value, str | list) else value


WeightsField = Annotated[
    WeightsSpec, BeforeValidator(_expand_source, json_schema_input_type=Values[WeightsSource] | WeightsSpec)
]


class TrainingSpec(Fields):
    """How a head is fitted. Any field may be a list, and is then an axis."""

    optimizer: Values[Annotated[Optimizer, Lax]] = (Optimizer.SGD,)
    """`sgd`, `momentum` or `adam`, on the mean cross-entropy, at a constant rate."""
    learning_rate: Values[Rate] = ()
    """Constant rate of gradient descent."""
    momentum: Values[Share] = (0.9,)
    """What optimizer `momentum` keeps of its last step."""
    batch_size: Values[Batch] = (100,)
    """Images per step, drawn with replacement."""
    sampling: Values[Annotated[Sampling, Lax]] = (Sampling.CLASS_BALANCED,)
    """`class_balanced` draws the class first, then an image of it; `uniform` draws any image."""
    weight_decay: Values[NotNegative] = (0.0,)
    """By what share of itself, times the learning rate, a weight shrinks at each step; biases do not."""
    hidden: Lists[Width] = ((),)
    """Widths of hidden layers with ReLU: `[]` none (softmax regression), `[512]` one; `[[], [512]]` is an axis."""
    dropout: Values[Share] = (0.0,)
    """Share of the features, and of each hidden layer's outputs, that a step leaves out."""
    initial_stddev: Values[NotNegative] = (0.001,)
    """Standard deviation of the truncated normal that the initial weights of a softmax regression are drawn from."""
    steps: Values[Count] = ()
    """Step budgets at which a head in training is read out."""


class _Product(Fields):
    """What only a grid can say."""

    network: Values[Literal[tuple(NETWORKS)]] = ()  # type: ignore[valid-type]
    """Architecture of the frozen network."""
    alpha: Values[Rate] = ()
    """Width multiplier."""
    resolution: Values[Count] = ()
    """Side of the square input, in pixels."""
    split: Values[SplitField] = ()
    """Percentages of training, validation and test images, such as 80/10/10."""
    shuffle: Annotated[Values[Seed], OrCount()] = ()
    """Seeds of the random partitions; each is one repetition."""
    weights: Values[Annotated[WeightsSource, Lax]] = ()
    """Where the network's weights come from."""
    features: Values[Annotated[FeatureKind, Lax]] = ()
    """Which output of the network heads are fitted on."""


def _make_axes() -> type[_Product]:
    """Make the model of all axes: every field of the sections may stand in a product too."""
    fields: dict[str, Any] = {
        name: (field.rebuild_annotation(), Field(default=(), description=field.description))
        for section in (PreprocessingSpec, TrainingSpec)
        for name, field in section.model_fields.items()
    }
    return create_model("Bundle", __base__=_Product, __doc__=_BUNDLE, **fields)


_BUNDLE = "Values that vary together, each one value or a list. They stand in for the product's."
Bundle = _make_axes()
AXES = tuple(Bundle.model_fields)


class Product(Bundle):  # type: ignore[misc, valid-type]
    """A product of axes, each one value or a list. What it does not name is as its section says."""

    bundles: Annotated[
        tuple[Bundle, ...],  # type: ignore[valid-type]
        BeforeValidator(_refuse_empty_list, json_schema_input_type=OneOrMore[Bundle]),
        Lax,
    ] = ()
    """Values that vary together, as {network: mobilenet_v2, alpha: 1.4}: the product is over the bundles too."""


def _list_products(value: Any) -> Any:
    return tuple(_refuse_empty_list(value)) if isinstance(value, list | tuple) else (value,)


def _write_one_product(products: tuple[Any, ...], write: SerializerFunctionWrapHandler) -> Any:
    written = write(products)
    return written[0] if len(products) == 1 else written


Grid = Annotated[
    tuple[Product, ...],
    BeforeValidator(_list_products, json_schema_input_type=Product | OneOrMore[Product]),
    WrapSerializer(_write_one_product),
]


class _Schema(GenerateJsonSchema):
    """Spells the default of an axis as users do: a single value alone, and none where nothing is given."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """Spell a default."""
        written = super().default_schema(schema)
        if isinstance(schema.get("default"), tuple):
            values = written.pop("default")
            written |= {"default": values[0]} if values else {}
        return written


class Spec(Closed):
    """A grid of transfer-learning experiments."""

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    """Names the folder under results/ and reports/."""
    published: PAPERS | None = None
    """The paper whose figures the report prints beside ours."""
    method: Literal["probe"] = "probe"
    """How trials are computed; `probe`: heads on the features of frozen networks."""
    data: DataSpec = DataSpec()
    preprocessing: PreprocessingSpec = PreprocessingSpec()
    weights: WeightsField = WeightsSpec()
    """Where the networks' weights come from: a source, or a source and a path."""
    features: Values[Annotated[FeatureKind, Lax]] = (FeatureKind.POOLED,)
    """`pooled`: the globally averaged last convolution; `logits`: the ImageNet class scores."""
    grid: Grid
    """The axes: a product of them, or a list of products, which need not have the same axes."""
    roles: dict[Literal[AXES], Annotated[Role, Lax]] = Field(default={})  # type: ignore[valid-type]
    """What an axis is for, where that is not as usual: `compared`, `tuned` (chosen on validation) or `repeated`."""
    training: TrainingSpec = TrainingSpec()
    margin: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0
    """By how many points a model may be worse than the best and still do; a hundredth of it for metrics without %."""

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """JSON schema of a spec, as users write it."""
        return cls.model_json_schema(schema_generator=_Schema)
