"""What came of a run: figures, and ratios held against what was promised."""

import json
import math
import statistics
from dataclasses import asdict, dataclass, field


@dataclass
class Row:
    """A line of a table: the median of what was seen, and its spread."""

    name: str
    unit: str
    median: float
    low: float
    high: float
    bound: str = ""
    reached: bool | None = None


@dataclass
class Subject:
    """What came of one subject."""

    figures: list[Row] = field(default_factory=list)
    ratios: list[Row] = field(default_factory=list)

    def figure(self, name, unit, seen):
        self.figures.append(Row(name, unit, *middle(seen)))

    def ratio(self, name, seen, at_least=None, at_most=None):
        """Each of `seen` is of two that were measured one right after the other."""
        row = Row(name, "", *middle(seen))
        if at_least is not None:
            row.bound, row.reached = f"at least {short(at_least)}", row.median >= at_least
        if at_most is not None:
            row.bound, row.reached = f"at most {short(at_most)}", row.median <= at_most
        self.ratios.append(row)

    def table(self):
        lines = ["| measured | median | spread |", "| --- | ---: | ---: |"]
        for row in self.figures:
            unit = f" {row.unit}" if row.unit else ""
            lines.append(f"| {row.name} | {short(row.median)}{unit} | {spread(row)} |")
        lines += ["", "| ratio | median | spread | promised | |", "| --- | ---: | ---: | --- | --- |"]
        for row in self.ratios:
            reached = {True: "reached", False: "**not reached**", None: ""}[row.reached]
            lines.append(f"| {row.name} | {short(row.median)} | {spread(row)} | {row.bound} | {reached} |")
        return "\n".join(lines)


@dataclass
class Run:
    """What came of a whole run."""

    machine: str
    quick: bool
    subjects: dict[str, Subject] = field(default_factory=dict)

    def write(self, root):
        """Into `bench/last.json`, and from there into the tables of `docs/performance.md`."""
        with open(root / "bench/last.json", "w", encoding="utf-8") as last:
            json.dump(asdict(self), last, indent=1)
            last.write("\n")
        page = root / "docs/performance.md"
        text = page.read_text(encoding="utf-8")
        text = between(text, "machine", self.machine)
        for name, subject in self.subjects.items():
            text = between(text, name, subject.table())
        page.write_text(text, encoding="utf-8")


def beside(ones, others, turn=1):
    """How much more the one is in each turn, which is the median of so many that were seen."""
    return [one / other for one, other in zip(turns(ones, turn), turns(others, turn), strict=True)]


def turns(seen, turn):
    return [statistics.median(seen[begin : begin + turn]) for begin in range(0, len(seen), turn)]


def between(text, name, told):
    """`text` with `told` between the marks that have this name."""
    begin, end = f"<!-- {name}: written by bench/run all --write -->", f"<!-- end of {name} -->"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise SystemExit(f"docs/performance.md has no place for `{name}`")
    return f"{before}{begin}\n\n{told}\n\n{end}{after}"


def middle(seen):
    """The median, and where nine of ten are above and below; of a few, the least and the most."""
    seen = sorted(seen)
    tenth = len(seen) // 10
    return statistics.median(seen), seen[tenth], seen[-1 - tenth]


def spread(row):
    return "" if row.low == row.high else f"{short(row.low)} to {short(row.high)}"


def short(number):
    """Three digits that count, and all of those before the point."""
    if number == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(number))))
    text = f"{number:,.{min(digits, 4)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
