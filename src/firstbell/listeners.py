"""Who hears of what happens in a domain below; only the command line imports it."""

from firstbell.domains.courses.model import CoursesRetired
from firstbell.domains.timetable.actions import cancel_lessons_of_retired_courses
from firstbell.kernel.events import Events


def domain_events() -> Events:
    """Every subscription of the house."""
    events = Events()
    events.on(CoursesRetired, cancel_lessons_of_retired_courses)
    return events
