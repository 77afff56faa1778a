"""What is particular to a paper: how it numbers its tables, what it prints, what one must know of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sweep.networks.table import Network

FULL_CONVOLUTION = "full convolution"


@dataclass(frozen=True, slots=True)
class Profile:
    """How a report is shaped; without a paper tables have no numbers, and nothing is printed beside ours.

    numbers: of the paper's tables, by what they hold. task: what images and classes its figures are about, as
    `describe_task` says it. full_convolution: the network that the paper compares with one of full convolutions.
    """

    name: str = ""
    citation: str = ""
    remarks: tuple[str, ...] = ()
    task: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)
    full_convolution: Network | None = None

    def name_table(self, content: str) -> str:
        """Name a table in files: table4, or means."""
        return f"table{self.numbers[content]}" if content in self.numbers else content

    def title(self, content: str, title: str) -> str:
        """Put the paper's number before a title: Table 4. Test accuracy."""
        return f"Table {self.numbers[content]}. {title}" if content in self.numbers else title

    def mention(self, content: str) -> str:
        """Name a table within a text: Table 4, or the table of means."""
        return f"Table {self.numbers[content]}" if content in self.numbers else f"the table of {content}"


PROFILES = {
    "duong-trung-2019": Profile(
        name="duong-trung-2019",
        citation="Duong-Trung, Tran Ngoc, Huynh: Automated pneumonia detection in X-ray images via depthwise separable "
        "convolution based learning (2019)",
        remarks=('"244" in the paper\'s tables is a misprint of 224.',),
        task="real images, classes NORMAL, PNEUMONIA",
        numbers={"images": 1, "complexities": 3, "means": 4},
        full_convolution=Network.of("mobilenet", alpha=1.0, resolution=224),
    )
}
