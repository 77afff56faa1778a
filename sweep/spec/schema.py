"""What a user asks: frozen, closed models of the YAML file, with every default written out.

The docstrings below the fields end up in the JSON schema that `sweep schema` prints for editors.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    model_serializer,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_before_validator_function

from sweep.catalogue import FAMILIES, FeatureKind, WeightsSource

MAX_TRIALS = 2_000_000  # about 2 GB to plan
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"  # one folder name, never a path
PATIENT_GROUP = "patient"  # names the group of a regular expression where it has several
SPLIT_PATTERN = r"^{0}/{0}/{0}$".format(r"[0-9]{1,3}(\.[0-9]{1,4})?")  # as few digits as `Split.__str__` writes out


class DataSource(StrEnum):
    """Which images a sweep is about."""

    FOLDER = "folder"
    DEMO = "demo"


class Fallback(StrEnum):
    """What stands in where the images of the folder are not there."""

    NONE = "none"
    DEMO = "demo"


class Undecodable(StrEnum):
    """What happens to a file that cannot be decoded."""

    ERROR = "error"
    SKIP = "skip"


class Optimizer(StrEnum):
    """How a head's weights are updated."""

    SGD = "sgd"


class Sampling(StrEnum):
    """How the images of a batch are drawn, with replacement."""

    CLASS_BALANCED = "class_balanced"  # the class uniformly, then an image of it
    UNIFORM = "uniform"


@dataclass(frozen=True, slots=True)
class Split:
    """Percentages of training, validation and test images; they add up to 100."""

    training: Fraction
    validation: Fraction
    test: Fraction

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `80/10/10`; a ValueError says what is wrong with it."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, str) or not re.fullmatch(SPLIT_PATTERN, value):
            raise ValueError("is not a split (allowed: training/validation/test percentages, for example 80/10/10)")
        parts = [Fraction(part) for part in value.split("/")]
        if min(parts) == 0:
            raise ValueError("leaves a part empty (allowed: three percentages above 0)")
        if sum(parts) != 100:
            raise ValueError(f"adds up to {float(sum(parts)):g} (allowed: three percentages that add up to 100)")
        return cls(*parts)

    def __str__(self) -> str:
        return "/".join(f"{float(part):.12g}" for part in (self.training, self.validation, self.test))


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _refuse_empty_and_repeats(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise PydanticCustomError("empty_axis", "an axis has no value")
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated_value", "an axis has a value twice")
    return values


class OneOrList:
    """Marks a tuple that may be written as a single value, and says so in the JSON schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(_as_tuple, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        listed = handler(schema)
        return {"anyOf": [listed["items"], {**listed, "minItems": 1, "uniqueItems": True}]}


Item = TypeVar("Item")
Axis = Annotated[tuple[Item, ...], AfterValidator(_refuse_empty_and_repeats), OneOrList()]
SplitField = Annotated[
    Split,
    BeforeValidator(Split.parse),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": SPLIT_PATTERN, "examples": ["80/10/10"]}),
]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Lax = Field(strict=False)  # an enum is written as its text


class Closed(BaseModel):
    """A frozen model that refuses unknown keys and silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class ShuffleCount(Closed):
    """The shuffles by their number."""

    count: Annotated[int, Field(ge=1, le=MAX_TRIALS)]
    """How many shuffles: their seeds are 0, 1, 2 and so on."""


def _write_seeds_out(value: Any) -> Any:
    return list(range(ShuffleCount.model_validate(value).count)) if isinstance(value, dict) else value


class OrCount:
    """Marks an axis of seeds that may be written as their number, and says so in the JSON schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(_write_seeds_out, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [*handler(schema)["anyOf"], ShuffleCount.model_json_schema()]}


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
    antialias: bool = True
    """Whether the bilinear resize averages over the source pixels when it shrinks an image."""
    patients: PatientsField = None
    """What names the patients: `folder`, `{regex: ...}` or `{csv: ...}`; by default the publisher's file names."""
    demo: DemoSpec = DemoSpec()
    """How the drawn images are made, where they are used."""


class WeightsSpec(Closed):
    """Where the backbones' weights come from."""

    source: Annotated[WeightsSource, Lax] = WeightsSource.IMAGENET
    """`imagenet` (keras.applications), `hub` (TensorFlow Hub), `file` (a Keras weights file) or `random`."""
    path: Annotated[str, Field(min_length=1)] | None = None
    """For `file` a weights file, for `hub` a SavedModel; may contain {alpha} and {resolution}."""


SHORT_FORMS = {"weights": "source"}  # a section that may be written as the value of this one of its keys


def _expand_source(value: Any) -> Any:
    return {SHORT_FORMS["weights"]: value} if isinstance(value, str) else value


WeightsField = Annotated[
    WeightsSpec, BeforeValidator(_expand_source, json_schema_input_type=WeightsSource | WeightsSpec)
]


class Grid(Closed):
    """The axes, each one value or a list; the sweep is their product."""

    backbone: Axis[Literal[tuple(FAMILIES)]]  # type: ignore[valid-type]
    """Architecture of the frozen network."""
    alpha: Axis[Rate]
    """Width multiplier."""
    resolution: Axis[Count]
    """Side of the square input, in pixels."""
    split: Axis[SplitField]
    """Percentages of training, validation and test images, such as 80/10/10."""
    learning_rate: Axis[Rate]
    """Constant rate of gradient descent."""
    shuffle: Annotated[Axis[Seed], OrCount()]
    """Seeds of the random partitions; each is one repetition."""
    steps: Axis[Count]
    """Step budgets at which a head in training is read out."""


class TrainingSpec(Closed):
    """How a head is fitted."""

    optimizer: Annotated[Optimizer, Lax] = Optimizer.SGD
    """Plain gradient descent on the mean cross-entropy."""
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Images per step, drawn with replacement."""
    sampling: Annotated[Sampling, Lax] = Sampling.CLASS_BALANCED
    """`class_balanced` draws the class first, then an image of it; `uniform` draws any image."""
    initial_stddev: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.001
    """Standard deviation of the truncated normal the initial weights are drawn from; biases start at 0."""


class Spec(Closed):
    """A grid of transfer-learning experiments."""

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    """Names the folder under results/ and reports/."""
    published: Literal["duong-trung-2019"] | None = None
    """The paper whose figures the report prints beside ours."""
    data: DataSpec = DataSpec()
    weights: WeightsField = WeightsSpec()
    """Where the backbones' weights come from: a source, or a source and a path."""
    features: Annotated[FeatureKind, Lax] = FeatureKind.POOLED
    """`pooled`: the globally averaged last convolution; `logits`: the ImageNet class scores."""
    grid: Grid
    training: TrainingSpec = TrainingSpec()
    margin: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0
    """By how many points a model may be worse than the best and still do; a hundredth of it for metrics without %."""
