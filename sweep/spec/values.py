"""The types of a spec's values: each one by itself, or a list that makes an axis of it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    WrapSerializer,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_before_validator_function

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"  # one folder name, never a path
MAX_SHUFFLES = 2_000_000
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

    SGD = "sgd"  # plain gradient descent
    MOMENTUM = "momentum"  # Polyak 1964
    ADAM = "adam"  # Kingma and Ba 2015


class Resize(StrEnum):
    """How an image is brought to the network's resolution."""

    BILINEAR = "bilinear"
    NEAREST = "nearest"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"


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


def _refuse_empty_and_repeats(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise PydanticCustomError("empty_axis", "an axis has no value")
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated_value", "an axis has a value twice")
    return values


class OneOrList:
    """Marks a tuple that may be written as a single value, and says so in the JSON schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(self.wrap, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        listed = handler(schema)
        return {"anyOf": [listed["items"], {**listed, "minItems": 1, "uniqueItems": True}]}

    @staticmethod
    def wrap(value: Any) -> tuple[Any, ...]:
        """Make a tuple of a single value."""
        return tuple(value) if isinstance(value, list | tuple) else (value,)


class OneOrListOfLists(OneOrList):
    """The same of values that are lists themselves: `[512, 64]` is one of them, `[[], [512]]` are two."""

    @staticmethod
    def wrap(value: Any) -> tuple[Any, ...]:
        """Make a tuple of a single list."""
        if not isinstance(value, list | tuple):
            return (value,)
        are_several = any(isinstance(each, list | tuple) for each in value)
        return tuple(tuple(each) if isinstance(each, list) else each for each in (value if are_several else [value]))


def _write_one_alone(values: tuple[Any, ...], write: SerializerFunctionWrapHandler) -> Any:
    written = write(values)
    return written[0] if len(values) == 1 else written


Item = TypeVar("Item")
Values = Annotated[
    tuple[Item, ...], AfterValidator(_refuse_empty_and_repeats), WrapSerializer(_write_one_alone), OneOrList()
]
Lists = Annotated[
    tuple[tuple[Item, ...], ...],
    AfterValidator(_refuse_empty_and_repeats),
    WrapSerializer(_write_one_alone),
    OneOrListOfLists(),
]
OneOrMore = Annotated[list[Item], Field(min_length=1)]
SplitField = Annotated[
    Split,
    BeforeValidator(Split.parse),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": SPLIT_PATTERN, "examples": ["80/10/10"]}),
]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Batch = Annotated[int, Field(ge=1, le=10_000)]
UnsignedZero = AfterValidator(lambda value: value + 0.0)  # -0.0 + 0.0 is 0.0: one value has one id
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False), UnsignedZero]
Width = Annotated[int, Field(ge=1, le=65_536)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), UnsignedZero]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Lax = Field(strict=False)  # an enum is written as its text


class Closed(BaseModel):
    """A frozen model that refuses unknown keys and silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class ShuffleCount(Closed):
    """The shuffles by their number."""

    count: Annotated[int, Field(ge=1, le=MAX_SHUFFLES)]
    """How many shuffles: their seeds are 0, 1, 2 and so on."""


def _write_seeds_out(value: Any) -> Any:
    return list(range(ShuffleCount.model_validate(value).count)) if isinstance(value, dict) else value


class OrCount:
    """Marks an axis of seeds that may be written as their number, and says so in the JSON schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(_write_seeds_out, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [*handler(schema)["anyOf"], ShuffleCount.model_json_schema()]}
