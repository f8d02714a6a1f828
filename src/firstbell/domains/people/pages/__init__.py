"""Signing in and out, one's own account, the people of the school, the schools of the installation."""

from firstbell.domains.people.pages import account, directory, schools, signing_in
from firstbell.domains.people.pages.desk import Desk
from firstbell.domains.people.pages.schools import answer_no_school, answer_nowhere

__all__ = ["HANDLERS", "Desk", "answer_no_school", "answer_nowhere"]

HANDLERS = [*signing_in.HANDLERS, *account.HANDLERS, *directory.HANDLERS, *schools.HANDLERS]
