-- Courses and who follows or teaches them.

CREATE TABLE course (
    school_id uuid NOT NULL,
    id uuid NOT NULL,
    school_year_id uuid NOT NULL,
    class_id uuid,
    folder_id uuid NOT NULL,
    source_id text NOT NULL,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    audience text NOT NULL,
    retired_at timestamptz,
    PRIMARY KEY (school_id, id),
    UNIQUE (school_id, source_id),
    FOREIGN KEY (school_id, school_year_id) REFERENCES school_year (school_id, id),
    FOREIGN KEY (school_id, class_id) REFERENCES class (school_id, id),
    FOREIGN KEY (school_id, folder_id) REFERENCES folder (school_id, id)
);
COMMENT ON TABLE course IS 'retention: 5 school years; erasure: names nobody';
COMMENT ON COLUMN course.class_id IS 'the class that all its pupils are in, null for a group from several classes';
COMMENT ON COLUMN course.audience IS 'who follows it, as people say it: 3B, or 3A + 3B';
CREATE INDEX course_class ON course (school_id, class_id);
CREATE UNIQUE INDEX course_folder ON course (school_id, folder_id);
CALL protect('course');

CREATE TABLE enrolment (
    school_id uuid NOT NULL,
    course_id uuid NOT NULL,
    person_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('pupil', 'teacher')),
    PRIMARY KEY (school_id, course_id, person_id),
    FOREIGN KEY (school_id, course_id) REFERENCES course (school_id, id),
    FOREIGN KEY (school_id, person_id) REFERENCES person (school_id, id)
);
COMMENT ON TABLE enrolment IS 'retention: as the course; erasure: with the person';
CREATE INDEX enrolment_person ON enrolment (school_id, person_id);
CALL protect('enrolment');

-- The teachers of a course as people read them: Els Peeters, Tom Claes.
CREATE FUNCTION course_teachers(of_school uuid, of_course uuid) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(string_agg(trim(given_name || ' ' || family_name), ', ' ORDER BY family_name, given_name), '')
    FROM enrolment JOIN person ON person.school_id = enrolment.school_id AND person.id = enrolment.person_id
    WHERE enrolment.school_id = of_school AND enrolment.course_id = of_course AND enrolment.role = 'teacher'
      AND person.retired_at IS NULL
$$;
