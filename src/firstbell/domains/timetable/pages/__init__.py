"""The timetable by week and by day, and the page of a lesson."""

from firstbell.domains.timetable.pages import lessons, weeks

HANDLERS = [*weeks.HANDLERS, *lessons.HANDLERS]
