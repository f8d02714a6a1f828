"""What a roster becomes, and what happens when it comes again."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.domains.roster.conftest import Roster, School, small_roster

PEOPLE = "SELECT given_name, retired_at IS NOT NULL FROM person WHERE school_id = $1 ORDER BY given_name"
ENROLLED = """
    SELECT person.given_name, enrolment.role FROM enrolment JOIN person ON person.id = person_id
    JOIN course ON course.id = course_id
    WHERE enrolment.school_id = $1 AND course.source_id = $2 ORDER BY person.given_name
"""
ROLES = """
    SELECT given_name, unnest(roles) AS role FROM person WHERE school_id = $1 ORDER BY given_name, role
"""
FAMILIES = """
    SELECT parent.given_name, child.given_name FROM guardianship
    JOIN person AS parent ON parent.id = parent_id JOIN person AS child ON child.id = child_id
    WHERE guardianship.school_id = $1 ORDER BY 1, 2
"""
CHANGES = """
    SELECT DISTINCT change.kind, given_name FROM change JOIN person ON person.id = subject_id
    WHERE change.school_id = $1 ORDER BY 1, 2
"""


def test_people_come_with_their_roles_and_names(shared_school: School) -> None:
    assert shared_school.rows(ROLES) == [
        ("An", "head"), ("Greet", "teacher"), ("Hilde", "parent"), ("Noor", "pupil"), ("Sam", "pupil"),
        ("Tariq", "teacher"), ("Wout", "pupil"),
    ]  # fmt: skip
    noor = "SELECT sign_in_name, family_name, birth_date::text FROM person WHERE school_id = $1 AND source_id = 'noor'"
    assert shared_school.rows(noor) == [("noor.vermeulen", "Vermeulen", "2012-05-04")]


def test_a_homeroom_becomes_a_class_and_a_scheduled_class_a_course(shared_school: School) -> None:
    assert shared_school.rows("SELECT name, kind FROM class WHERE school_id = $1 ORDER BY name") == [
        ("3A", "class"),
        ("3B", "class"),
    ]
    titles = "SELECT source_id, title FROM course WHERE school_id = $1 ORDER BY source_id"
    assert shared_school.rows(titles) == [("choir", "Koor"), ("latin-3", "Latijn"), ("maths-3b", "Wiskunde")]


def test_a_course_belongs_to_the_class_that_all_its_pupils_are_in(shared_school: School) -> None:
    audiences = """
        SELECT course.source_id, course.audience, class.name FROM course LEFT JOIN class ON class.id = course.class_id
        WHERE course.school_id = $1 ORDER BY 1
    """
    assert shared_school.rows(audiences) == [
        ("choir", "3B", "3B"),
        ("latin-3", "3A + 3B", None),
        ("maths-3b", "3B", "3B"),
    ]


def test_a_course_gets_a_folder_of_its_own(shared_school: School) -> None:
    folders = """
        SELECT folder.name, folder.parent_id FROM folder JOIN course ON folder_id = folder.id
        WHERE folder.school_id = $1 ORDER BY 1
    """
    assert shared_school.rows(folders) == [("Koor", None), ("Latijn", None), ("Wiskunde", None)]


def test_enrolments_become_members_and_followers(shared_school: School) -> None:
    assert shared_school.rows(ENROLLED, "maths-3b") == [("Noor", "pupil"), ("Tariq", "teacher"), ("Wout", "pupil")]
    members = "SELECT count(*) FROM class_member WHERE school_id = $1"
    assert shared_school.rows(members) == [(5,)]


def test_a_school_year_is_kept_and_its_terms_are_not(shared_school: School) -> None:
    years = "SELECT name, starts_on::text, ends_on::text FROM school_year WHERE school_id = $1"
    assert shared_school.rows(years) == [("2026-2027", "2026-09-01", "2027-09-01")]


def test_no_password_comes_with_a_roster(school: School) -> None:
    roster = small_roster()
    roster.row("users", "noor")["password"] = "herfst"
    assert school.put(roster).returncode == 0
    hashes = """
        SELECT count(*), count(password_hash) FROM account JOIN person ON account_id = account.id WHERE school_id = $1
    """
    assert school.rows(hashes) == [(7, 0)]


@pytest.mark.parametrize("named_by", ["noor", "hilde"])
def test_a_parent_is_known_by_what_either_of_the_two_says(school: School, named_by: str) -> None:
    roster = small_roster()
    other = "hilde" if named_by == "noor" else "noor"
    roster.row("users", other)["agentSourcedIds"] = ""
    assert school.put(roster).returncode == 0
    assert school.rows(FAMILIES) == [("Hilde", "Noor")]


def test_nobody_is_parent_of_a_child_without_the_role(school: School) -> None:
    roster = small_roster()
    roster.row("users", "wout")["agentSourcedIds"] = "tariq"
    assert school.put(roster).returncode == 0
    assert school.rows(FAMILIES) == [("Hilde", "Noor")]


def test_a_teacher_may_be_a_parent_too(school: School) -> None:
    roster = small_roster().role("tariq", "guardian", roleType="secondary")
    roster.row("users", "wout")["agentSourcedIds"] = "tariq"
    assert school.put(roster).returncode == 0
    assert ("Tariq", "Wout") in school.rows(FAMILIES)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_the_same_files_twice_change_nothing(school: School, version: str, options: tuple[str, ...]) -> None:
    assert school.put(small_roster(version)).returncode == 0
    before = school.state()
    again = school.put(small_roster(version), *options)
    assert again.returncode == 0
    assert "Nothing" in again.stdout and "as the files say" in again.stdout
    assert school.state() == before
    assert school.rows(CHANGES) == []


def test_version_1_1_with_a_mapping_file_says_what_1_2_says(make_school: Callable[[], School], tmp_path: Path) -> None:
    one, other = make_school(), make_school()
    mapping = tmp_path / "roles.json"
    mapping.write_text(json.dumps({"roles": {"an": "head"}}))
    assert one.put(small_roster("1.1"), "--mapping", str(mapping)).returncode == 0
    assert other.put(small_roster("1.2")).returncode == 0
    for statement in (ROLES, PEOPLE, FAMILIES):
        assert one.rows(statement) == other.rows(statement)


def test_a_mapping_file_gives_roles_meanings_and_groups(school: School, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        'groups = ["KOOR"]\n[roles]\ntariq = ["teacher", "ict"]\nnobody = "head"\n[meanings]\n"ext:coach" = "teacher"\n'
    )
    roster = small_roster().person("els", "Els Coach", "ext:coach")
    done = school.put(roster, "--mapping", str(mapping))
    assert done.returncode == 0, done.stdout
    assert "nobody in the mapping file" in done.stdout
    roles = school.rows(ROLES)
    assert ("Tariq", "ict") in roles and ("Tariq", "teacher") in roles and ("Els", "teacher") in roles
    assert ("Koor", "group") in school.rows("SELECT name, kind FROM class WHERE school_id = $1")
    assert school.rows(ENROLLED, "choir") == []


def test_a_dry_run_lists_what_would_differ_and_writes_nothing(school: School) -> None:
    done = school.put(small_roster(), "--dry-run")
    assert done.returncode == 0
    for line in (
        "added person: Noor Vermeulen (noor.vermeulen)",
        "added class: 3B",
        "added course: Wiskunde 3B",
        "added parent of child: Hilde Smets (hilde.smets) of Noor Vermeulen (noor.vermeulen)",
        "added enrolment: 3 in Wiskunde 3B",
    ):
        assert line in done.stdout
    assert school.state() == []


def test_a_dry_run_names_what_would_change_return_and_retire(school: School) -> None:
    school.put(small_roster())
    school.put(small_roster().without("sam"))
    roster = small_roster().without("wout")
    roster.row("users", "noor")["familyName"] = "Vermeulen-Smets"
    done = school.put(roster, "--dry-run")
    assert "changed person: Noor Vermeulen-Smets (noor.vermeulen)" in done.stdout
    assert "returned person: Sam Claes (sam.claes)" in done.stdout
    assert "retired person: Wout Peeters (wout.peeters)" in done.stdout
    assert "removed enrolment: 1 in Wiskunde 3B" in done.stdout


def test_whoever_is_no_longer_in_the_files_retires(school: School) -> None:
    school.put(small_roster())
    assert school.put(small_roster().without("wout", "latin-3", "3a")).returncode == 0
    assert ("Wout", True) in school.rows(PEOPLE)
    assert ("Noor", False) in school.rows(PEOPLE)
    retired = "SELECT source_id FROM course WHERE school_id = $1 AND retired_at IS NOT NULL"
    assert school.rows(retired) == [("latin-3",)]
    assert school.rows("SELECT name FROM class WHERE school_id = $1 AND retired_at IS NOT NULL") == [("3A",)]
    assert school.rows(ENROLLED, "maths-3b") == [("Noor", "pupil"), ("Tariq", "teacher")]
    assert school.rows(ENROLLED, "latin-3") == []


def test_whoever_is_to_be_deleted_retires_and_may_come_back(school: School) -> None:
    school.put(small_roster())
    account = "SELECT account_id FROM person WHERE school_id = $1 AND source_id = 'wout'"
    before = school.rows(account)
    roster = small_roster()
    roster.row("users", "wout")["status"] = "tobedeleted"
    assert school.put(roster).returncode == 0
    assert ("Wout", True) in school.rows(PEOPLE)
    assert school.rows(ENROLLED, "maths-3b") == [("Noor", "pupil"), ("Tariq", "teacher")]
    assert school.rows(CHANGES) == [("person", "Wout")]
    assert school.put(small_roster()).returncode == 0
    assert ("Wout", False) in school.rows(PEOPLE)
    assert school.rows(account) == before
    assert len(school.rows(ENROLLED, "maths-3b")) == 3


def test_whoever_is_disabled_cannot_sign_in(school: School) -> None:
    school.put(small_roster())
    roster = small_roster()
    roster.row("users", "wout")["enabledUser"] = "false"
    assert school.put(roster).returncode == 0
    assert ("Wout", True) in school.rows(PEOPLE)


def test_another_sign_in_name_keeps_the_account(school: School) -> None:
    school.put(small_roster())
    account = "SELECT account_id, sign_in_name FROM person WHERE school_id = $1 AND source_id = 'wout'"
    before = school.rows(account)[0][0]
    roster = small_roster()
    roster.row("users", "wout")["username"] = "Wout.P"
    school.put(roster)
    assert school.rows(account) == [(before, "Wout.P")]


def test_two_people_may_swap_sign_in_names(school: School) -> None:
    school.put(small_roster())
    roster = small_roster()
    noor, wout = roster.row("users", "noor"), roster.row("users", "wout")
    noor["username"], wout["username"] = wout["username"], noor["username"]
    assert school.put(roster).returncode == 0
    names = "SELECT sign_in_name FROM person WHERE school_id = $1 AND source_id = $2"
    assert school.rows(names, "noor") == [("wout.peeters",)]
    assert school.rows(names, "wout") == [("noor.vermeulen",)]


def test_somebody_new_may_take_the_sign_in_name_of_somebody_retired(school: School) -> None:
    school.put(small_roster())
    roster = small_roster().without("wout").person("wout-2", "Wout Peeters", "student")
    assert school.put(roster).returncode == 0
    assert school.rows(PEOPLE)[-2:] == [("Wout", False), ("Wout", True)] or school.rows(PEOPLE)[-2:] == [
        ("Wout", True),
        ("Wout", False),
    ]


def test_a_change_of_role_is_told_to_open_sessions(school: School) -> None:
    school.put(small_roster())
    roster = small_roster()
    roster.row("roles", "greet-teacher")["role"] = "principal"
    assert school.put(roster).returncode == 0
    assert ("Greet", "head") in school.rows(ROLES) and ("Greet", "teacher") not in school.rows(ROLES)
    assert school.rows(CHANGES) == [("person", "Greet")]


def test_a_delta_touches_only_what_it_names(school: School) -> None:
    school.put(small_roster())
    before = school.rows(PEOPLE)
    delta = Roster(mode="delta")
    delta.person("mila", "Mila Janssens", "student", status="active")
    delta.enrol("mila", "3b", "maths-3b", status="active")
    delta.enrol("wout", "maths-3b", status="tobedeleted")
    done = school.put(delta)
    assert done.returncode == 0, done.stdout
    assert sorted([*before, ("Mila", False)]) == school.rows(PEOPLE)
    assert school.rows(ENROLLED, "maths-3b") == [("Mila", "pupil"), ("Noor", "pupil"), ("Tariq", "teacher")]
    assert len(school.rows(ENROLLED, "latin-3")) == 3


def test_a_delta_of_roles_changes_roles_alone(school: School) -> None:
    school.put(small_roster())
    delta = Roster(mode="delta")
    delta.role("greet", "systemAdministrator", status="active").role("greet", "teacher", status="tobedeleted")
    delta.add("demographics", "wout", status="active", birthDate="2012-02-03")
    assert school.put(delta).returncode == 0
    assert [role for name, role in school.rows(ROLES) if name == "Greet"] == ["ict"]
    born = "SELECT birth_date::text FROM person WHERE school_id = $1 AND birth_date IS NOT NULL ORDER BY 1"
    assert school.rows(born) == [("2012-02-03",), ("2012-05-04",)]


def test_a_delta_may_name_who_is_in_the_school_already(school: School) -> None:
    school.put(small_roster())
    delta = Roster(mode="delta").person("jan", "Jan Peeters", "parent", agentSourcedIds="wout", status="active")
    delta.class_("maths-3a", "Wiskunde 3A", "scheduled", courseSourcedId="maths", status="active", subjects="Wiskunde")
    delta.enrol("sam", "maths-3a", status="active")
    done = school.put(delta)
    assert done.returncode == 0, done.stdout
    assert school.rows(FAMILIES) == [("Hilde", "Noor"), ("Jan", "Wout")]
    title = "SELECT title, audience FROM course WHERE school_id = $1 AND source_id = 'maths-3a'"
    assert school.rows(title) == [("Wiskunde", "3A")]


def test_an_enrolment_that_ended_during_the_year_is_over(school: School) -> None:
    roster = small_roster()
    roster.row("enrollments", "maths-3b-wout-student")["endDate"] = "2026-10-01"
    done = school.put(roster, clock="2026-11-02T07:30:00+01:00")
    assert done.returncode == 0
    assert school.rows(ENROLLED, "maths-3b") == [("Noor", "pupil"), ("Tariq", "teacher")]


def test_of_several_schools_the_mapping_file_picks_one(school: School, tmp_path: Path) -> None:
    roster = small_roster().add("orgs", "berk", name="De Berk", type="school", parentSourcedId="heuvel")
    roster.add("users", "lies", enabledUser="true", username="lies", givenName="Lies", familyName="Berk")
    roster.role("lies", "student", orgSourcedId="berk")
    roster.class_("1a", "1A", schoolSourcedId="berk").enrol("lies", "1a", schoolSourcedId="berk")
    refused = school.put(roster)
    assert refused.returncode == 1
    assert "which of its schools" in refused.stderr
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('school = "012345"\n')
    done = school.put(roster, "--mapping", str(mapping))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ignored: 1 people of other schools." in done.stdout
    assert "Lies" not in [name for name, _ in school.rows(PEOPLE)]
    assert ("1A",) not in school.rows("SELECT name FROM class WHERE school_id = $1")


def test_the_files_give_the_school_its_name(school: School) -> None:
    roster = small_roster()
    roster.row("orgs", "wilge")["name"] = "De Wilgenboom"
    done = school.put(roster)
    assert "De Wilge is called De Wilgenboom." in done.stdout
    listed = school.installation.run("school", "list").stdout
    assert f"{school.slug}\tDe Wilgenboom" in listed


def test_files_that_nobody_reads_are_named(school: School) -> None:
    roster = small_roster()
    roster.modes["lineItems"] = "bulk"
    roster.extra["lineItems.csv"] = b"sourcedId\nx\n"
    roster.extra["leesmij.txt"] = b"Dag"
    done = school.put(roster)
    assert done.returncode == 0
    assert "Ignored: leesmij.txt." in done.stdout and "Ignored: lineItems.csv." in done.stdout


@pytest.mark.parametrize("top", ["", "export/"])
def test_a_zip_archive_is_read_as_a_folder_is(school: School, tmp_path: Path, top: str) -> None:
    done = school.put(small_roster().zip(tmp_path / "roster.zip", top))
    assert done.returncode == 0, done.stderr
    assert len(school.rows(PEOPLE)) == 7


def test_an_import_never_links_accounts(make_school: Callable[[], School]) -> None:
    one, other = make_school(), make_school()
    one.put(small_roster())
    other.put(small_roster())
    accounts = "SELECT account_id FROM person WHERE school_id = $1"
    assert not set(one.rows(accounts)) & set(other.rows(accounts))


def test_what_was_planned_for_a_retired_course_does_not_take_place(school: School) -> None:
    monday = {"clock": "2026-10-05T10:00:00+02:00"}
    school.put(small_roster(), **monday)
    lessons = school.folder / "lessons.csv"
    lessons.write_text(
        "date,start,end,course,teachers\n"
        "2026-10-02,08:30,09:20,latin-3,greet.maes\n"
        "2026-10-06,08:30,09:20,latin-3,greet.maes\n"
        "2026-10-06,09:20,10:10,maths-3b,tariq.benali\n"
    )
    brought = school.installation.run("timetable", "import", str(lessons), "--school", school.slug, **monday)
    assert brought.returncode == 0, brought.stderr
    assert school.put(small_roster().without("latin-3"), **monday).returncode == 0
    rows = school.rows(
        "SELECT date::text, cancelled_at IS NOT NULL FROM lesson WHERE school_id = $1 ORDER BY 1, starts_at"
    )
    assert rows == [("2026-10-02", False), ("2026-10-06", True), ("2026-10-06", False)]


def test_files_without_most_of_the_people_are_refused_unless_that_is_meant(school: School) -> None:
    school.put(small_roster())
    before = school.state()
    half = small_roster().without("wout", "sam", "greet", "an", "3a")
    refused = school.put(half)
    assert refused.returncode == 1
    assert refused.stderr.strip().endswith(
        "Nothing was imported: 4 of the 7 people of De Wilge are not in the files and would retire; "
        "say --retire if that is right."
    )
    assert school.state() == before
    assert "It would not be imported: 4 of the 7 people" in school.put(half, "--dry-run").stdout
    assert school.put(half, "--retire").returncode == 0
    assert school.rows("SELECT count(*) FROM person WHERE school_id = $1 AND retired_at IS NOT NULL") == [(4,)]


def test_an_import_is_noted_with_what_was_handed_over_and_what_it_did(school: School, tmp_path: Path) -> None:
    archive = small_roster().zip(tmp_path / "roster.zip")
    school.put(archive)
    school.put(small_roster().without("wout"), "--dry-run")
    noted = "SELECT verb, person_id, subject_id, detail FROM audit WHERE school_id = $1"
    [(verb, person_id, subject_id, detail)] = school.rows(noted)
    assert (verb, person_id) == ("import roster", None)
    assert [(subject_id,)] == school.rows("SELECT id FROM school WHERE id = $1")
    told = json.loads(detail)
    assert told["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert told["person added"] == 7


def test_after_an_import_the_planner_knows_how_many_came(school: School) -> None:
    roster = small_roster()
    for number in range(700):
        roster.person(f"u{number}", f"Noor Peeters{number}", "student")
    assert school.put(roster).returncode == 0
    looked_at = """
        SELECT last_analyze > now() - interval '1 minute' FROM pg_stat_user_tables
        WHERE $1::uuid IS NOT NULL AND relname = 'person'
    """
    assert school.rows(looked_at) == [(True,)]
