"""Statements on courses and enrolments, one typed function each: all of them are found here."""

from firstbell.domains.courses.queries.importing import (
    compare_courses,
    compare_enrolments,
    count_differences,
    describe_audiences,
    list_new_course_folders,
    list_retiring_courses,
    merge_courses,
    merge_enrolments,
    next_differences,
    open_differences,
    stage_courses,
)
from firstbell.domains.courses.queries.reading import (
    find_course,
    find_document,
    list_by_source_id,
    list_children_courses,
    list_followed,
    list_new_documents,
    list_own_courses,
    list_participants,
    list_school_courses,
)

__all__ = [
    "compare_courses",
    "compare_enrolments",
    "count_differences",
    "describe_audiences",
    "find_course",
    "find_document",
    "list_by_source_id",
    "list_children_courses",
    "list_followed",
    "list_new_course_folders",
    "list_new_documents",
    "list_own_courses",
    "list_participants",
    "list_retiring_courses",
    "list_school_courses",
    "merge_courses",
    "merge_enrolments",
    "next_differences",
    "open_differences",
    "stage_courses",
]
