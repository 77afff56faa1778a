"""Short names of tables and figures for the contents list."""

import re

NAMES = {  # of tables by their content and of figures by their name, where that says too little
    "complexities": "Models",
    "diagnostics": "Diagnosis",
    "reviewer": "For a reviewer",
    "against": "Ours and published",
    "standing": "Against the best",
    "metrics": "All metrics",
    "selection": "Chosen configurations",
    "pairs": "All pairs",
    "roc": "ROC",
}


def shorten_title(name: str, title: str, content: str = "") -> str:
    """Name a table by its content, or a figure, in a few words: Table 4: means; against the best, 80/10/10."""
    number = re.match(r"Table \d+", title)
    part = re.sub(rf"^({re.escape(content)}|table\d+)", "", name) if content else ""
    words = re.sub(r"(?<=\d)-(?=\d)", "/", f"{content or name},{part}").replace("_", " ").replace("-", " ")
    short, _, which = (each.strip() for each in words.partition(","))
    short = NAMES.get(content or name, short[:1].upper() + short[1:])
    return (f"{number[0]}: {short.lower()}" if number else short) + (f", {which}" if which else "")


def split_title(title: str) -> tuple[str, str]:
    """Divide a title before the first pause: a semicolon, a colon, or a comma behind a unit."""
    found = re.search(r"(?<=\)), |[;:] ", title)
    return (title[: found.start()], title[found.start() :]) if found else (title, "")
