-- Lessons: one slot of the timetable each, in the local time of the school.

CREATE TABLE lesson (
    school_id uuid NOT NULL,
    id uuid NOT NULL,
    course_id uuid NOT NULL,
    source_id text NOT NULL,
    date date NOT NULL,
    starts_at time NOT NULL,
    ends_at time NOT NULL CHECK (ends_at > starts_at),
    room text NOT NULL DEFAULT '',
    source_room text NOT NULL DEFAULT '',
    public_note text NOT NULL DEFAULT '',
    private_note text NOT NULL DEFAULT '',
    noted_at timestamptz,
    noted_by uuid,
    cancelled_at timestamptz,
    cancelled_by uuid,
    PRIMARY KEY (school_id, id),
    UNIQUE (school_id, source_id),
    FOREIGN KEY (school_id, course_id) REFERENCES course (school_id, id),
    FOREIGN KEY (school_id, noted_by) REFERENCES person (school_id, id),
    FOREIGN KEY (school_id, cancelled_by) REFERENCES person (school_id, id)
);
COMMENT ON TABLE lesson IS 'retention: 5 school years; erasure: notes are free text of teachers, cleared with the course, noted_by and cancelled_by with the person';
COMMENT ON COLUMN lesson.source_id IS 'what names it in the file: UID of the event and when it was first planned, or course, class and time';
COMMENT ON COLUMN lesson.source_room IS 'the room that the file said last: another room in the file wins, the same leaves what a teacher set';
COMMENT ON COLUMN lesson.noted_at IS 'when a teacher wrote the notes; from then on no file changes them';
COMMENT ON COLUMN lesson.cancelled_by IS 'the teacher who cancelled it, null when the file did';
CREATE INDEX lesson_course ON lesson (school_id, course_id, date);
CREATE INDEX lesson_date ON lesson (school_id, date);
CALL protect('lesson');

-- date is repeated here so that a teacher's day is one index scan.
CREATE TABLE lesson_teacher (
    school_id uuid NOT NULL,
    lesson_id uuid NOT NULL,
    person_id uuid NOT NULL,
    date date NOT NULL,
    PRIMARY KEY (school_id, lesson_id, person_id),
    FOREIGN KEY (school_id, lesson_id) REFERENCES lesson (school_id, id),
    FOREIGN KEY (school_id, person_id) REFERENCES person (school_id, id)
);
COMMENT ON TABLE lesson_teacher IS 'retention: as the lesson; erasure: with the person';
CREATE INDEX lesson_teacher_day ON lesson_teacher (school_id, person_id, date);
CALL protect('lesson_teacher');

CREATE TABLE lesson_document (
    school_id uuid NOT NULL,
    lesson_id uuid NOT NULL,
    document_id uuid NOT NULL,
    position smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (school_id, lesson_id, document_id),
    FOREIGN KEY (school_id, lesson_id) REFERENCES lesson (school_id, id),
    FOREIGN KEY (school_id, document_id) REFERENCES document (school_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE lesson_document IS 'retention: as the lesson; erasure: names nobody';
CREATE INDEX lesson_document_document ON lesson_document (school_id, document_id);
CALL protect('lesson_document');

-- A lesson as a page shows it, to whoever may read its rows. The private note is not part of it.
CREATE VIEW lesson_card WITH (security_invoker = true) AS
SELECT
    lesson.id,
    lesson.school_id,
    lesson.course_id,
    course.folder_id,
    lesson.date,
    lesson.starts_at,
    lesson.ends_at,
    course.title,
    course.audience,
    lesson.room,
    lesson.public_note,
    lesson.cancelled_at IS NOT NULL AS is_cancelled,
    array(
        SELECT person.given_name || ' ' || person.family_name
        FROM lesson_teacher AS teaching
        INNER JOIN person ON teaching.school_id = person.school_id AND teaching.person_id = person.id
        WHERE teaching.school_id = lesson.school_id AND teaching.lesson_id = lesson.id
        ORDER BY person.family_name, person.given_name
    ) AS teachers
FROM lesson
INNER JOIN course ON lesson.school_id = course.school_id AND lesson.course_id = course.id;
GRANT SELECT ON lesson_card TO firstbell_app, firstbell_jobs;
