"""Bringing a roster in: read and stage the files, check them, compare them with the school, merge. All or nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from firstbell.domains.courses import queries as courses
from firstbell.domains.courses.model import CoursesRetired
from firstbell.domains.documents import queries as documents
from firstbell.domains.people.model import School
from firstbell.domains.people.queries import comparing, merging, rename_school
from firstbell.domains.roster.model import (
    FILES,
    Flaws,
    Manifest,
    Mode,
    Rejection,
    RoleMapping,
    RosterError,
    RosterFile,
    Staged,
    read_manifest,
    read_row,
)
from firstbell.domains.roster.queries import checks, meaning, staging
from firstbell.kernel.audit import record_audit
from firstbell.kernel.changes import record_change
from firstbell.kernel.clock import Ids
from firstbell.kernel.csvfiles import Package, Table, has_control
from firstbell.kernel.db import Transaction
from firstbell.kernel.events import Events

MANIFEST_ROWS_MAX = 200
SCHOOLS_SHOWN_MAX = 5

Watch = Callable[[str, int, int], None]
"""Told now and then how far a step is: its name, what is done, what there is (0 when unknown)."""


class Report(msgspec.Struct, kw_only=True):
    """What an import found and did, or would do.

    Attributes:
        counts: by kind (person) and verdict (added).
        rejected: how many things are wrong with the files.
        ignored: files and words that mean nothing here, by name.
        new_name: the name that the files give the school, when it has another.
        refusal: why nothing can be imported even without what was rejected.
    """

    counts: dict[tuple[str, str], int] = {}
    rejected: int = 0
    ignored: list[str] = []
    new_name: str | None = None
    refusal: str | None = None

    @property
    def changes(self) -> int:
        """How many things differ."""
        differing = sum(count for (_, verdict), count in self.counts.items() if verdict != "same")
        return differing + (self.new_name is not None)

    @property
    def people_here(self) -> int:
        """How many people the school has before the import."""
        return sum(self.counts.get(("person", verdict), 0) for verdict in ("same", "changed", "retired"))

    @property
    def people_retiring(self) -> int:
        """How many of them are not in the files any more."""
        return self.counts.get(("person", "retired"), 0)


class Import:
    """One import of one package into one school, in the transaction of whoever starts it.

    `stage` reads and checks, `compare` finds what differs, `merge` writes it. Whoever ends the transaction decides.
    """

    def __init__(
        self,
        tx: Transaction,
        school: School,
        *,
        mapping: RoleMapping,
        ids: Ids,
        now: datetime,
        batch_rows: int,
        events: Events,
    ) -> None:
        self._events = events
        self._tx = tx
        self._school = school
        self._mapping = mapping
        self._ids = ids
        self._now = now
        self._today = now.astimezone(school.zone).date()
        self._batch_rows = batch_rows
        self._manifest = Manifest("", {})
        self._digest = ""
        self.report = Report()

    async def stage(self, package: Package, watch: Watch) -> Report:
        """Read every file and name what is wrong with it.

        Raises:
            UnreadableError: a file cannot be read at all.
            RosterError: the files do not fit together.
        """
        self._digest = package.digest()
        self._manifest = manifest = read_package_manifest(package)
        self.report.ignored = _ignored(package, manifest)
        await staging.create_tables(self._tx)
        await comparing.stage_people(self._tx, self._school.id)
        await courses.stage_courses(self._tx, self._school.id)
        await staging.stage_known_places(self._tx)
        for file in FILES:
            if manifest.mode(file.name) is not Mode.ABSENT and manifest.version in file.versions:
                await self._copy(package, file, watch)
        keys = [(key, role) for key, roles in self._mapping.roles.items() for role in roles]
        await staging.copy_overrides(self._tx, keys)
        await staging.analyze(self._tx)
        watch("Checking", 0, 0)
        await self._check()
        self.report.rejected = await staging.count_rejections(self._tx)
        return self.report

    def _is_whole(self, name: str) -> bool:
        return self._manifest.mode(name) is Mode.BULK

    async def _copy(self, package: Package, file: RosterFile, watch: Watch) -> None:
        name = f"{file.name}.csv"
        with package.table(name) as table:
            reading = _Reading(file, table, self._mapping, self._ids)
            columns = (*file.staged, *_NEW_IDS.get(file.name, ()))
            while not reading.is_over:
                await staging.copy_rows(self._tx, file.table, columns, islice(reading.rows, self._batch_rows))
                await staging.copy_rejections(self._tx, reading.take_rejections())
                watch(name, table.bytes_read, package.sizes[name])

    async def _check(self) -> None:
        for table in {file.table: None for file in FILES}:
            await checks.reject_duplicates(self._tx, table)
        await self._check_orgs()
        await self._check_sessions()
        await self._check_people()
        await self._check_classes()
        await self._check_enrolments()

    async def _check_orgs(self) -> None:
        tx, is_whole = self._tx, self._is_whole("orgs")
        await checks.reject_cycles(tx, "roster_org", is_whole=is_whole)
        if not is_whole:
            return
        for table, column, org in (
            ("roster_role", "orgSourcedId", "org_source_id"),
            ("roster_course", "orgSourcedId", "org_source_id"),
            ("roster_class", "schoolSourcedId", "school_source_id"),
            ("roster_enrolment", "schoolSourcedId", "school_source_id"),
        ):
            await checks.reject_dangling(tx, table, column, org, "roster_org")
        await checks.reject_dangling_in_list(tx, "roster_user", "orgSourcedIds", "org_source_ids", "roster_org")
        schools = await checks.list_school_orgs(tx, SCHOOLS_SHOWN_MAX + 1)
        if not schools:
            self.report.refusal = "orgs.csv names no school: a row with type school."
            return
        source_id, name = await self._our_org(schools)
        if name != self._school.name:
            self.report.new_name = name
        if await checks.has_other_schools(tx, source_id):
            people_outside = await checks.leave_other_schools_out(tx, source_id)
            self.report.ignored.append(f"{people_outside:,} people of other schools")

    async def _our_org(self, schools: list[tuple[str, str]]) -> tuple[str, str]:
        """The sourcedId and name of the row that is our school, among the first of `schools`."""
        if len(schools) == 1 and not self._mapping.school:
            return schools[0]
        wanted = self._mapping.school or self._school.slug
        found = await checks.find_school_orgs(self._tx, wanted)
        if len(found) != 1:
            names = ", ".join(source_id[:40] for source_id, _ in schools[:SCHOOLS_SHOWN_MAX])
            raise RosterError(
                f"orgs.csv has no single school {wanted!r}: say in the mapping file which of its schools this is "
                f"(school = one of {names}{' …' if len(schools) > SCHOOLS_SHOWN_MAX else ''})."
            )
        return found[0]

    async def _check_sessions(self) -> None:
        await checks.reject_cycles(self._tx, "roster_session", is_whole=self._is_whole("academicSessions"))
        await meaning.find_school_years(self._tx)

    async def _check_people(self) -> None:
        tx, is_whole = self._tx, self._is_whole("users")
        known = None if is_whole else "known_person"
        await checks.reject_unknown_agents(tx, is_whole=is_whole)
        await checks.reject_dangling(tx, "roster_role", "userSourcedId", "user_source_id", "roster_user", known=known)
        if self._manifest.version == "1.1":
            await checks.spread_roles_of_users(tx)
        strangers = await checks.stage_overrides(tx)
        self.report.ignored += [f"{key} in the mapping file, who is not in the files" for key in strangers]
        await checks.reject_people_without_role(tx, is_whole=is_whole)
        await self._check_sign_in_names()
        await checks.name_lost_agents(tx)
        await checks.reject_dangling(tx, "roster_demographic", "sourcedId", "source_id", "roster_user", known=known)
        await checks.reject_dangling(
            tx, "roster_profile", "userSourcedId", "user_source_id", "roster_user", known=known
        )

    async def _check_sign_in_names(self) -> None:
        # Whoever is rejected keeps the old name, which another row may want: look again until that is over.
        for _ in range(SIGN_IN_ROUNDS_MAX):
            if not await checks.reject_taken_sign_in_names(self._tx, is_whole=self._is_whole("users")):
                return
        raise RosterError("users.csv: the rejected rows hold sign-in names that others want; set them right first.")

    async def _check_classes(self) -> None:
        tx = self._tx
        if self._is_whole("courses"):
            await checks.reject_dangling(tx, "roster_class", "courseSourcedId", "course_source_id", "roster_course")
        if self._is_whole("academicSessions"):
            await checks.reject_dangling(tx, "roster_course", "schoolYearSourcedId", "year_source_id", "roster_session")
            await checks.reject_dangling_in_list(
                tx, "roster_class", "termSourcedIds", "term_source_ids", "roster_session"
            )
        await meaning.stage_school_years(tx)
        await meaning.find_years_of_classes(tx)

    async def _check_enrolments(self) -> None:
        tx = self._tx
        await checks.reject_dangling(
            tx, "roster_enrolment", "classSourcedId", "class_source_id", "roster_class",
            known=None if self._is_whole("classes") else "known_place",
        )  # fmt: skip
        await checks.reject_dangling(
            tx, "roster_enrolment", "userSourcedId", "user_source_id", "roster_user",
            known=None if self._is_whole("users") else "known_person",
        )  # fmt: skip
        await checks.reject_outsiders(tx)

    async def compare(self, watch: Watch) -> Report:
        """Find what differs from the school as it is, leaving out what was rejected."""
        tx, school_id = self._tx, self._school.id
        watch("Comparing", 0, 0)
        await comparing.compare_school_years(tx, school_id)
        await meaning.stage_kept(tx)
        await self._compare_people()
        await meaning.stage_classes(tx)
        await meaning.stage_courses(tx, is_whole=self._is_whole("courses"))
        await comparing.compare_classes(tx, school_id, retires_missing=self._is_whole("classes"))
        await courses.compare_courses(tx, school_id, retires_missing=self._is_whole("classes"))
        await meaning.stage_enrolments(tx, today=self._today)
        removes_missing = self._is_whole("enrollments")
        await comparing.compare_members(tx, school_id, removes_missing=removes_missing)
        await courses.compare_enrolments(tx, school_id, removes_missing=removes_missing)
        counts = [*await comparing.count_differences(tx), *await courses.count_differences(tx)]
        self.report.counts = {(kind, verdict): count for kind, verdict, count in counts}
        return self.report

    async def _compare_people(self) -> None:
        tx, school_id, is_whole = self._tx, self._school.id, self._is_whole("users")
        replaces_roles = self._manifest.version == "1.1" or self._is_whole("roles")
        await meaning.stage_people(tx, replaces_roles=replaces_roles, today=self._today)
        await meaning.stage_named(tx)
        await comparing.stage_named_people(tx, school_id)
        await meaning.stage_roles(tx, today=self._today)
        await meaning.stage_birth_dates(tx, is_whole=self._is_whole("demographics"))
        await meaning.stage_relations(tx, is_whole=is_whole)
        await comparing.compare_people(tx, school_id, retires_missing=is_whole)
        await comparing.compare_guardianships(tx, school_id)

    async def merge(self, watch: Watch) -> None:
        """Write what differs, and note in the audit trail which files said so."""
        tx, school_id, now = self._tx, self._school.id, self._now
        watch("Writing", 0, 0)
        if self.report.new_name:
            await rename_school(tx, school_id, self.report.new_name)
        await merging.merge_school_years(tx, school_id)
        await merging.merge_classes(tx, school_id, now=now)
        await merging.merge_people(tx, school_id, now=now)
        await merging.merge_guardianships(tx, school_id)
        await merging.merge_members(tx, school_id)
        await merging.stage_pupil_classes(tx, school_id)
        await merging.name_classes(tx, school_id)
        await documents.add_roots(tx, school_id, await courses.list_new_course_folders(tx), now)
        await courses.merge_courses(tx, school_id, now=now)
        if retired := await courses.list_retiring_courses(tx):
            await self._events.tell(tx, CoursesRetired(school_id, tuple(retired), now))
        await courses.merge_enrolments(tx, school_id)
        await courses.describe_audiences(tx, school_id)
        if self.report.new_name:
            await record_change(tx, school_id, "school", [school_id])
        if self.report.changes:
            await record_change(tx, school_id, "lessons", [school_id])
        await record_change(tx, school_id, "person", await comparing.list_changed_people(tx))
        counts = {f"{kind} {verdict}": n for (kind, verdict), n in self.report.counts.items() if verdict != "same"}
        await record_audit(
            tx,
            self._ids.new(),
            school_id=school_id,
            at=now,
            person_id=None,
            verb="import roster",
            subject_kind="school",
            subject_id=school_id,
            detail={"sha256": self._digest, "rejected": self.report.rejected, **counts},
        )

    async def rejections(self) -> AsyncIterator[Rejection]:
        """What is wrong with the files, file by file and line by line."""
        await staging.open_rejections(self._tx)
        async for rejection in _paged(lambda: staging.next_rejections(self._tx)):
            yield rejection

    async def differences(self) -> AsyncIterator[tuple[str, str, str]]:
        """Kind, verdict and name of everything that differs."""
        await comparing.open_differences(self._tx)
        async for difference in _paged(lambda: comparing.next_differences(self._tx)):
            yield difference
        await courses.open_differences(self._tx)
        async for difference in _paged(lambda: courses.next_differences(self._tx)):
            yield difference


async def _paged(next_page: Callable[[], Awaitable[list[Any]]]) -> AsyncIterator[Any]:
    while page := await next_page():
        for item in page:
            yield item


def read_package_manifest(package: Package) -> Manifest:
    """The manifest of the files.

    Raises:
        RosterError: there is none, it cannot be read, or it names a file that is not there.
    """
    if "manifest.csv" not in package.sizes:
        raise RosterError("manifest.csv is missing: a OneRoster export has one beside its files.")
    with package.table("manifest.csv") as table:
        rows = [cells for _, cells, _ in islice(table.rows(), MANIFEST_ROWS_MAX)]
        if table.columns != ["propertyName", "value"]:
            rows.insert(0, table.columns)
    manifest = read_manifest((cells[0], cells[1]) for cells in rows if len(cells) > 1)
    for file in FILES:
        if manifest.mode(file.name) is not Mode.ABSENT and f"{file.name}.csv" not in package.sizes:
            raise RosterError(f"{file.name}.csv is missing; manifest.csv says that it is there.")
    return manifest


def _ignored(package: Package, manifest: Manifest) -> list[str]:
    """The files that are not read."""
    read = {f"{file.name}.csv" for file in FILES if manifest.mode(file.name) is not Mode.ABSENT} | {"manifest.csv"}
    announced = {f"{name}.csv" for name, mode in manifest.modes.items() if mode is not Mode.ABSENT}
    return sorted((package.sizes.keys() | announced) - read)


_NEW_IDS = {
    "academicSessions": ("id",),
    "users": ("id", "account_id"),
    "classes": ("id", "folder_id"),
}
"""The ids that a row gets in case it is new here."""
SIGN_IN_ROUNDS_MAX = 10


class _Reading:
    """The rows of one file on their way to its staging table, and what is wrong with them."""

    def __init__(self, file: RosterFile, table: Table, mapping: RoleMapping, ids: Ids) -> None:
        self._file = file
        self._table = table
        self._mapping = mapping
        self._ids = ids
        self._new_ids = len(_NEW_IDS.get(file.name, ()))
        self._rejections: list[tuple[str, int, str, str]] = []
        self.is_over = False
        self.rows = self._read()

    def take_rejections(self) -> list[tuple[str, int, str, str]]:
        """What was found since the last time."""
        taken, self._rejections = self._rejections, []
        return taken

    def _read(self) -> Iterator[Staged]:
        file, mapping, new_ids = self._file, self._mapping, range(self._new_ids)
        columns = self._table.columns
        width, pick = len(columns), file.picker(columns)
        for line, cells, is_suspect in self._table.rows():
            flaws: Flaws = []
            if is_suspect:
                cells = _without_control(columns, cells, flaws)  # noqa: PLW2901
            if len(cells) != width:
                cells = _at_width(columns, cells, flaws)  # noqa: PLW2901
            told = len(flaws)
            cells.append("")
            source_id, is_deleted, *staged = read_row(file, pick(cells), mapping, flaws)
            if flaws:
                self._rejections += [(file.name, line, *flaw) for flaw in flaws[:told] or flaws]
            yield line, source_id, is_deleted, bool(flaws), *staged, *(self._ids.new() for _ in new_ids)
        self.is_over = True


def _without_control(columns: list[str], cells: list[str], flaws: Flaws) -> list[str]:
    """No text has control characters: a row with one is broken, and the database could not even keep it."""
    for column, cell in zip(columns, cells, strict=False):
        if has_control(cell):
            flaws.append((column, "has a control character"))
    return ["".join(letter for letter in cell if not has_control(letter)) for cell in cells]


def _at_width(columns: list[str], cells: list[str], flaws: Flaws) -> list[str]:
    missing = len(columns) - len(cells)
    if missing > 0:
        flaws.append((columns[-missing], f"is missing: the row has {len(cells)} of {len(columns)} cells"))
    else:
        flaws.append((columns[-1], f"is not the last: the row has {len(cells)} cells, the header {len(columns)}"))
    return (cells + [""] * missing)[: len(columns)]
