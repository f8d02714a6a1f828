"""How large an installation must be, worked out from what each step of a morning costs. Paper beside the rehearsal."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import msgspec

TEACHERS_PER_PUPIL = 0.12
"""Flemish secondary education has a teacher for eight to nine pupils."""

PARENTS_PER_PUPIL = 1.6
"""Accounts of parents; brothers and sisters share theirs."""

PUPILS_PRESENT, TEACHERS_PRESENT, PARENTS_PRESENT = 0.95, 0.9, 0.3
"""Who opens the platform around the first bell of a day on which everybody is at home."""

PEAK_MINUTES = 10
PEAK_SHARE = 0.5
"""Half of the morning's people come in the ten minutes around the bell; in February 2021 a Flemish platform counted
1.2 million sign-ins in less than an hour."""

SIGN_IN_SHARE = 0.05
"""How many have no session on their device any more."""

DOCUMENTS = 2
BUSY_MAX = 0.6
"""Processors are planned to be busy for so much of the peak: queues stay short, and a node may be lost."""

OUR_COSTS = Path(__file__).with_name("costs.json")
"""What `bin/bench --json` found on our machine; yours may be faster or slower."""

NODE_CORES = 8
CELL_PERSONS_MAX = 150_000
"""One PostgreSQL; see the design."""


class Cost(msgspec.Struct, frozen=True):
    """What a step costs, as `bin/bench --json` writes it. CPU in microseconds."""

    app_cpu_us: float
    db_cpu_us: float
    bytes: float


class Costs(msgspec.Struct, frozen=True):
    """The costs of all steps, and where they were measured."""

    steps: dict[str, Cost]
    measured_on: str = "an unknown day"
    machine: str = "an unknown machine"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is needed, in all, and the sentences that lead there."""

    cells: int
    web_nodes: int
    database_cores: int
    megabits_per_s: int
    reasoning: tuple[str, ...]


def read_costs(path: Path) -> Costs:
    """The costs in a file of `bin/bench --json`.

    Raises:
        OSError: it cannot be read.
        msgspec.DecodeError: it is no such file.
    """
    return msgspec.json.decode(path.read_bytes(), type=Costs)


def plan(pupils: int, costs: Costs) -> Plan:
    """Work out the installation for so many pupils.

    Raises:
        KeyError: a step of the morning is not among the costs.
    """
    teachers, parents = round(pupils * TEACHERS_PER_PUPIL), round(pupils * PARENTS_PER_PUPIL)
    persons = pupils + teachers + parents
    present = pupils * PUPILS_PRESENT + teachers * TEACHERS_PRESENT + parents * PARENTS_PRESENT
    per_second = present * PEAK_SHARE / (PEAK_MINUTES * 60)
    app_us, db_us, sent_bytes = _morning(costs)
    cells = ceil(persons / CELL_PERSONS_MAX)
    app_cores, db_cores = (per_second * us / 1e6 / BUSY_MAX for us in (app_us, db_us))
    # Each cell has a node more than it needs, so that one may be lost at half past eight.
    nodes_per_cell = ceil(app_cores / cells / NODE_CORES) + 1
    database_cores_per_cell = max(2, ceil(db_cores / cells))
    megabits = per_second * sent_bytes * 8 / 1e6 / BUSY_MAX
    return Plan(
        cells=cells,
        web_nodes=nodes_per_cell * cells,
        database_cores=database_cores_per_cell * cells,
        megabits_per_s=ceil(megabits),
        reasoning=(
            f"{pupils:,} pupils, {teachers:,} teachers and {parents:,} parents are {persons:,} persons; "
            f"{present:,.0f} of them open the platform around the first bell.",
            f"Half of them in {PEAK_MINUTES} minutes are {per_second:,.0f} mornings a second.",
            f"The costs of a step were measured on {costs.measured_on} on {costs.machine}.",
            f"A morning is Today, a course, {DOCUMENTS} documents, the week and a session refreshed; "
            f"{SIGN_IN_SHARE:.0%} sign in with a password. It costs {app_us / 1_000:,.1f} ms of CPU in the web, "
            f"{db_us / 1_000:,.1f} ms in PostgreSQL, and {sent_bytes / 1_000:,.0f} kB.",
            f"At most {BUSY_MAX:.0%} busy, that is {app_cores:,.1f} cores of web and {db_cores:,.1f} of PostgreSQL.",
            f"A cell holds at most {CELL_PERSONS_MAX:,} persons, which makes {cells} cells.",
            f"Each cell: {nodes_per_cell} web nodes of {NODE_CORES} cores, one of them to spare, and PostgreSQL with "
            f"{database_cores_per_cell} cores.",
            f"The lines out carry {megabits:,.0f} Mbit/s in all, {megabits / cells:,.0f} for each cell; "
            "documents that browsers keep are not taken off.",
        ),
    )


def _morning(costs: Costs) -> tuple[float, float, float]:
    """CPU of web and database in microseconds, and bytes, of one morning."""
    steps = costs.steps
    often = {
        "today_pupil": 1.0,
        "course": 1.0,
        "document_open": float(DOCUMENTS),
        "timetable_week": 1.0,
        "session_refresh": 1.0,
        "sign_in_page": SIGN_IN_SHARE,
        "sign_in_password": SIGN_IN_SHARE,
    }
    return (
        sum(times * steps[name].app_cpu_us for name, times in often.items()),
        sum(times * steps[name].db_cpu_us for name, times in often.items()),
        sum(times * steps[name].bytes for name, times in often.items()),
    )
