"""The pages that gather."""

from firstbell.domains.views.pages.course import show_course
from firstbell.domains.views.pages.gate import show_gate
from firstbell.domains.views.pages.today import show_today

HANDLERS = [show_today, show_course, show_gate]
