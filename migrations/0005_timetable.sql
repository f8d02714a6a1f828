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
    public_note text NOT NULL DEFAULT '',
    private_note text NOT NULL DEFAULT '',
    cancelled_at timestamptz,
    PRIMARY KEY (school_id, id),
    UNIQUE (school_id, source_id, date, starts_at),
    FOREIGN KEY (school_id, course_id) REFERENCES course (school_id, id)
);
COMMENT ON TABLE lesson IS 'retention: 5 school years; erasure: notes are free text of teachers, cleared with the course';
COMMENT ON COLUMN lesson.source_id IS 'the UID of the event or the key of the row that it was imported from';
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
    FOREIGN KEY (school_id, document_id) REFERENCES document (school_id, id)
);
COMMENT ON TABLE lesson_document IS 'retention: as the lesson; erasure: names nobody';
CREATE INDEX lesson_document_document ON lesson_document (school_id, document_id);
CALL protect('lesson_document');
