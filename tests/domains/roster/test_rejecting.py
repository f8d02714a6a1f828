"""What is wrong is named by file, line, column and reason; one wrong row rejects all, unless it may be skipped."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.domains.roster.conftest import Roster, School, small_roster

PEOPLE = "SELECT given_name, retired_at IS NOT NULL FROM person WHERE school_id = $1 ORDER BY given_name"
Spoil = Callable[[Roster], object]


def change(table: str, source_id: str, **values: str) -> Spoil:
    return lambda roster: roster.row(table, source_id).update(values)


def add(table: str, source_id: str, **values: str) -> Spoil:
    return lambda roster: roster.add(table, source_id, **values)


WRONG: list[tuple[Spoil, str]] = [
    (change("users", "noor", givenName=""), "users.csv line 2, column givenName: is empty."),
    (change("users", "noor", username="x" * 201), "users.csv line 2, column username: is longer than 200 characters."),
    (change("users", "noor", enabledUser="yes"), "column enabledUser: is 'yes'; it must be true or false."),
    (change("users", "noor", status="gone"), "column status: is 'gone'; it must be active, tobedeleted or empty."),
    (change("users", "noor", username="Wout.PEETERS"), "users.csv line 3, column username: is the same as in line 2."),
    (change("users", "noor", agentSourcedIds="nobody"), "agentSourcedIds: names nothing in users.csv: nobody."),
    (change("users", "noor", givenName="No\x00or"), "users.csv line 2, column givenName: has a control character."),
    (
        lambda roster: roster.tables["users"].append(roster.row("users", "noor")),
        "users.csv line 9, column sourcedId: is the same as in line 2.",
    ),
    (
        add("users", "els", enabledUser="true", username="els", givenName="Els"),
        "users.csv line 9, column sourcedId: has no role in roles.csv.",
    ),
    (change("roles", "sam-student", role="wizard"), "roles.csv line 4, column role: is 'wizard'; the mapping file can"),
    (change("roles", "sam-student", userSourcedId="x"), "column userSourcedId: names nothing in users.csv: x."),
    (change("roles", "sam-student", orgSourcedId="x"), "column orgSourcedId: names nothing in orgs.csv: x."),
    (change("demographics", "noor", birthDate="5/4/2012"), "birthDate: is '5/4/2012'; it must be a date such as"),
    (change("demographics", "noor", birthDate="2012-02-30"), "birthDate: is '2012-02-30'; it must be a date such as"),
    (add("demographics", "x"), "demographics.csv line 3, column sourcedId: names nothing in users.csv: x."),
    (change("userProfiles", "noor-profile", userSourcedId="x"), "userProfiles.csv line 2, column userSourcedId: names"),
    (change("classes", "3a", classType="club"), "classes.csv line 2, column classType: is 'club'; it must be homeroom"),
    (change("classes", "3a", title="x" * 101), "classes.csv line 2, column title: is longer than 100 characters."),
    (change("classes", "3a", termSourcedIds="x"), "column termSourcedIds: names nothing in academicSessions.csv: x."),
    (change("classes", "maths-3b", courseSourcedId="x"), "column courseSourcedId: names nothing in courses.csv: x."),
    (change("classes", "3a", schoolSourcedId="x"), "column schoolSourcedId: names nothing in orgs.csv: x."),
    (change("courses", "maths", schoolYearSourcedId="x"), "column schoolYearSourcedId: names nothing in academic"),
    (
        change("enrollments", "3b-noor-student", userSourcedId="x"),
        "enrollments.csv line 2, column userSourcedId: names nothing in users.csv: x.",
    ),
    (
        change("enrollments", "3b-noor-student", classSourcedId="x"),
        "enrollments.csv line 2, column classSourcedId: names nothing in classes.csv: x.",
    ),
    (change("enrollments", "3b-noor-student", role="boss"), "enrollments.csv line 2, column role: is 'boss'; it must"),
    (change("academicSessions", "year", endDate="2026-09-01"), "endDate: is 2026-09-01, which is not after 2026-09-01"),
    (change("academicSessions", "year", startDate=""), "academicSessions.csv line 2, column startDate: is empty."),
    (change("academicSessions", "year", parentSourcedId="autumn"), "parentSourcedId: leads in a circle"),
    (change("orgs", "heuvel", parentSourcedId="wilge"), "orgs.csv line 2, column parentSourcedId: leads in a circle"),
    (change("orgs", "wilge", parentSourcedId="wilge"), "orgs.csv line 3, column parentSourcedId: leads in a circle"),
]


@pytest.mark.parametrize(("spoil", "sentence"), WRONG, ids=[sentence[:60] for _, sentence in WRONG])
def test_a_wrong_row_is_named_and_nothing_is_imported(shared_school: School, spoil: Spoil, sentence: str) -> None:
    roster = small_roster().without("sam-nobody")
    roster.row("users", "wout")["familyName"] = "Would-Have-Changed"
    spoil(roster)
    before = shared_school.state()
    done = shared_school.put(roster)
    assert done.returncode == 1
    assert sentence in done.stdout
    assert "Nothing was imported" in done.stderr
    assert shared_school.state() == before


def test_a_row_with_too_few_cells_is_named(shared_school: School) -> None:
    roster = small_roster()
    roster.extra["demographics.csv"] = b"sourcedId,status,birthDate\nnoor\nwout,,2012-01-01,\n"
    done = shared_school.put(roster)
    assert done.returncode == 1
    assert "demographics.csv line 2, column status: is missing: the row has 1 of 3 cells." in done.stdout
    assert "demographics.csv line 3, column birthDate: is not the last: the row has 4 cells" in done.stdout


def test_lines_are_counted_as_an_editor_does(shared_school: School) -> None:
    """Also after empty lines and cells of several lines."""
    roster = small_roster()
    roster.extra["demographics.csv"] = b'sourcedId,birthDate,note\n\nnoor,2012-05-04,"a\nb"\nwout,soon,\n'
    done = shared_school.put(roster)
    assert "demographics.csv line 5, column birthDate: is 'soon'" in done.stdout


def test_what_is_wrong_cannot_steer_a_terminal(shared_school: School) -> None:
    roster = small_roster()
    roster.row("classes", "3a")["classType"] = "\u202e\x1b[31m[red]club"
    done = shared_school.put(roster)
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout


def test_skipping_rejects_what_depends_on_a_rejected_row(school: School) -> None:
    roster = small_roster()
    roster.row("users", "wout")["enabledUser"] = "perhaps"
    roster.row("classes", "latin-3")["classType"] = "club"
    done = school.put(roster, "--skip-rejected")
    assert done.returncode == 0, done.stderr
    assert "roles.csv line 3, column userSourcedId: depends on a rejected row of users.csv: wout." in done.stdout
    for line in (6, 7):
        assert (
            f"enrollments.csv line {line}, column userSourcedId: depends on a rejected row of users.csv" in done.stdout
        )
    assert "enrollments.csv line 4, column classSourcedId: depends on a rejected row of classes.csv" in done.stdout
    assert ("Wout", False) not in school.rows(PEOPLE)
    assert ("Noor", False) in school.rows(PEOPLE)
    assert school.rows("SELECT source_id FROM course WHERE school_id = $1 ORDER BY 1") == [("choir",), ("maths-3b",)]


def test_skipping_a_rejected_parent_drops_the_link_and_keeps_the_child(school: School) -> None:
    roster = small_roster()
    roster.row("users", "hilde")["enabledUser"] = "perhaps"
    done = school.put(roster, "--skip-rejected")
    assert "users.csv line 2, column agentSourcedIds: the link to hilde depends on a rejected row" in done.stdout
    assert ("Noor", False) in school.rows(PEOPLE)
    assert school.rows("SELECT parent_id FROM guardianship WHERE school_id = $1") == []


def test_whoever_is_rejected_stays_as_before(school: School) -> None:
    school.put(small_roster())
    before = school.state()
    roster = small_roster()
    roster.row("users", "wout").update(enabledUser="perhaps", familyName="Anders")
    roster.row("users", "hilde")["username"] = ""
    roster.row("classes", "latin-3")["classType"] = "club"
    done = school.put(roster, "--skip-rejected")
    assert done.returncode == 0, done.stderr
    assert school.state() == before


def test_a_sign_in_name_that_a_rejected_person_keeps_is_taken(school: School) -> None:
    school.put(small_roster())
    roster = small_roster()
    roster.row("users", "wout").update(enabledUser="perhaps", username="w")
    roster.row("users", "noor")["username"] = "wout.peeters"
    done = school.put(roster, "--skip-rejected")
    assert done.returncode == 0, done.stderr
    assert "users.csv line 2, column username: is the sign-in name of somebody else in the school." in done.stdout


def test_a_delta_cannot_take_the_sign_in_name_of_somebody_else(school: School) -> None:
    school.put(small_roster())
    delta = Roster(mode="delta").person("wout-2", "Wout Peeters", "student", status="active")
    done = school.put(delta)
    assert done.returncode == 1
    assert "users.csv line 2, column username: is the sign-in name of somebody else in the school." in done.stdout


def test_a_person_made_by_hand_is_never_retired(school: School) -> None:
    school.put(small_roster())
    school.rows("UPDATE person SET source_id = NULL WHERE school_id = $1 AND source_id = 'an' RETURNING id")
    assert school.put(small_roster().without("an")).returncode == 0
    assert ("An", False) in school.rows(PEOPLE)


REFUSED = [
    ("manifest.csv", None, "manifest.csv is missing"),
    ("manifest.csv", b"", "manifest.csv is empty"),
    ("manifest.csv", b"propertyName,value\noneroster.version,2.0\n", "oneroster.version is '2.0'"),
    ("manifest.csv", b"propertyName,value\noneroster.version,1.2\nfile.users,some\n", "file.users is 'some'"),
    ("users.csv", None, "users.csv is missing; manifest.csv says that it is there."),
    ("users.csv", b"", "users.csv is empty"),
    ("users.csv", b"sourcedId,username\n", "users.csv lacks the column"),
    ("users.csv", b"sourcedId,status,sourcedId\n", "users.csv has the column 'sourcedId' twice"),
    ("users.csv", b"sourcedId;status;username\n", "users.csv has semicolons between its columns"),
    ("users.csv", "sourcedId,état\n".encode("latin-1"), "users.csv is not in UTF-8"),
    ("users.csv", "sourcedId,status\n".encode("utf-16"), "users.csv is not in UTF-8"),
    ("users.csv", "sourcedId,status\n".encode("utf-16-le"), "users.csv is not text"),
    ("demographics.csv", b'sourcedId,birthDate\n"noor,2012\nwout,2012\n', "demographics.csv, line 2: a quote is never"),
    ("demographics.csv", b'sourcedId,birthDate\n"no"or,2012\n', "demographics.csv, line 2: quotes do not stand around"),
    ("demographics.csv", b"sourcedId,birthDate\nnoor," + b"9" * 200_000, "line 2: a field is too long, or a quote"),
    ("demographics.csv", b"sourcedId,birthDate\n" + b"," * 5_000_000, "line 2: is longer than 4,000,000 characters"),
    ("orgs.csv", b"sourcedId,name,type\nx,X,district\n", "orgs.csv names no school"),
]


@pytest.mark.parametrize(("name", "data", "sentence"), REFUSED, ids=[sentence[:50] for _, _, sentence in REFUSED])
def test_files_that_cannot_be_read_are_refused_in_one_sentence(
    shared_school: School, name: str, data: bytes | None, sentence: str
) -> None:
    folder = shared_school.write(small_roster())
    if data is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(data)
    before = shared_school.state()
    for options in ((), ("--skip-rejected",)):
        done = shared_school.put(folder, *options)
        assert done.returncode == 1
        assert sentence in done.stderr.splitlines()[-1]
        assert shared_school.state() == before


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ("roles = 3", "is not a mapping file"),
        ("[roles]\nnoor = 'wizard'", "is not a mapping file"),
        ("[roles]\nnoor = 'operator'", "nobody becomes operator"),
        ("heads = ['an']", "it says 'heads'"),
        ("= =", "is not a mapping file"),
    ],
)
def test_a_mapping_file_that_says_something_else_is_refused(
    shared_school: School, tmp_path: Path, mapping: str, sentence: str
) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(mapping)
    done = shared_school.put(small_roster(), "--mapping", str(path))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_values_that_look_like_formulas_stay_text(school: School) -> None:
    roster = small_roster()
    roster.row("users", "noor")["familyName"] = "=HYPERLINK(1)"
    assert school.put(roster).returncode == 0
    assert ("=HYPERLINK(1)",) in school.rows("SELECT family_name FROM person WHERE school_id = $1")


def test_columns_may_stand_in_any_order_and_unknown_ones_are_left(school: School) -> None:
    roster = small_roster()
    roster.extra["demographics.csv"] = b"\xef\xbb\xbfmetadata.x,birthDate,sourcedId\r\n1,2012-05-04,noor\r\n"
    assert school.put(roster).returncode == 0
    born = "SELECT birth_date::text FROM person WHERE school_id = $1 AND source_id = 'noor'"
    assert school.rows(born) == [("2012-05-04",)]
