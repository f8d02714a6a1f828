-- People, accounts, classes, families, sessions.

-- An account signs in. It belongs to the cell: a parent's account has persons in several schools.
CREATE TABLE account (
    id uuid PRIMARY KEY,
    password_hash text,
    locale text CHECK (locale IN ('nl', 'en', 'fr')),
    is_operator boolean NOT NULL DEFAULT false,
    signed_out_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE account IS 'retention: until its last person is erased; erasure: row is deleted';
COMMENT ON COLUMN account.signed_out_at IS 'sessions made before this instant are over, in every school of the cell';

CREATE TABLE person (
    school_id uuid NOT NULL REFERENCES school (id),
    id uuid NOT NULL,
    account_id uuid NOT NULL REFERENCES account (id),
    source_id text,
    sign_in_name text NOT NULL CHECK (length(sign_in_name) BETWEEN 1 AND 200),
    -- As it is looked up. Row security keeps an index on an expression from being used, since lower() is not leakproof.
    sign_in_key text NOT NULL GENERATED ALWAYS AS (lower(sign_in_name)) STORED,
    given_name text NOT NULL CHECK (length(given_name) BETWEEN 1 AND 200),
    family_name text NOT NULL CHECK (length(family_name) <= 200),
    email text,
    birth_date date,
    roles text [] NOT NULL DEFAULT '{}'
    CHECK (roles <@ ARRAY['pupil', 'teacher', 'parent', 'head', 'secretariat', 'ict']),
    class_name text NOT NULL DEFAULT '',
    retired_at timestamptz,
    PRIMARY KEY (school_id, id)
);
COMMENT ON TABLE person IS 'retention: 1 year after retired_at, what the law keeps longer is named in its own table; erasure: names are replaced, account is unlinked';
COMMENT ON COLUMN person.class_name IS 'the class that a pupil is shown in; the roster import, which alone writes classes, keeps it as class and class_member say';
-- Somebody retired leaves the sign-in name to whoever comes.
CREATE UNIQUE INDEX person_sign_in_key ON person (school_id, sign_in_key) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX person_source ON person (school_id, source_id);
CREATE INDEX person_account ON person (account_id);
CREATE INDEX person_given_name ON person (school_id, lower(given_name || ' ' || family_name) text_pattern_ops);
CREATE INDEX person_family_name ON person (school_id, lower(family_name || ' ' || given_name) text_pattern_ops);
CALL protect('person');

-- An account is visible through a person that the transaction may read, and written through one it may write.
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
CREATE POLICY reading ON account FOR SELECT USING (
    EXISTS (SELECT FROM person WHERE person.account_id = account.id)
);
CREATE POLICY adding ON account FOR INSERT WITH CHECK (writable_school() IS NOT NULL AND NOT is_operator);
CREATE POLICY changing ON account FOR UPDATE USING (
    EXISTS (SELECT FROM person WHERE person.account_id = account.id AND person.school_id = (SELECT writable_school()))
);
GRANT SELECT, INSERT ON account TO firstbell_app, firstbell_jobs;
GRANT UPDATE (password_hash, locale, signed_out_at) ON account TO firstbell_app, firstbell_jobs;

CREATE TABLE guardianship (
    school_id uuid NOT NULL,
    parent_id uuid NOT NULL,
    child_id uuid NOT NULL,
    linked_at timestamptz,
    PRIMARY KEY (school_id, parent_id, child_id),
    FOREIGN KEY (school_id, parent_id) REFERENCES person (school_id, id),
    FOREIGN KEY (school_id, child_id) REFERENCES person (school_id, id)
);
COMMENT ON TABLE guardianship IS 'retention: as the child; erasure: with parent or child';
COMMENT ON COLUMN guardianship.linked_at IS 'when the parent gave the code of the child, null when the roster says it; no roster takes such a link away';
CREATE INDEX guardianship_child ON guardianship (school_id, child_id);
CALL protect('guardianship');

-- A printed code by which the holder of an account links a person of another school to it, once.
CREATE TABLE activation_code (
    school_id uuid NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (school_id, id),
    FOREIGN KEY (school_id, person_id) REFERENCES person (school_id, id)
);
COMMENT ON TABLE activation_code IS 'retention: 90 days after expires_at; erasure: with the person';
CREATE UNIQUE INDEX activation_code_hash ON activation_code (code_hash);
CREATE INDEX activation_code_person ON activation_code (school_id, person_id);
CALL protect('activation_code');

CREATE TABLE school_year (
    school_id uuid NOT NULL REFERENCES school (id),
    id uuid NOT NULL,
    source_id text NOT NULL,
    name text NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL CHECK (ends_on > starts_on),
    PRIMARY KEY (school_id, id),
    UNIQUE (school_id, source_id)
);
COMMENT ON TABLE school_year IS 'retention: as the school; erasure: names nobody';
CALL protect('school_year');

-- A homeroom (kind class) or any other set of pupils (kind group).
CREATE TABLE class (
    school_id uuid NOT NULL,
    id uuid NOT NULL,
    school_year_id uuid NOT NULL,
    source_id text NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    kind text NOT NULL DEFAULT 'class' CHECK (kind IN ('class', 'group')),
    retired_at timestamptz,
    PRIMARY KEY (school_id, id),
    UNIQUE (school_id, source_id),
    FOREIGN KEY (school_id, school_year_id) REFERENCES school_year (school_id, id)
);
COMMENT ON TABLE class IS 'retention: 5 school years; erasure: names nobody';
CALL protect('class');

CREATE TABLE class_member (
    school_id uuid NOT NULL,
    class_id uuid NOT NULL,
    person_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('pupil', 'teacher')),
    PRIMARY KEY (school_id, class_id, person_id),
    FOREIGN KEY (school_id, class_id) REFERENCES class (school_id, id),
    FOREIGN KEY (school_id, person_id) REFERENCES person (school_id, id)
);
COMMENT ON TABLE class_member IS 'retention: as the class; erasure: with the person';
CREATE INDEX class_member_person ON class_member (school_id, person_id);
CALL protect('class_member');

-- One signed-in browser on one school's host; a family of refresh tokens, of which only the generation is kept.
CREATE TABLE session (
    school_id uuid NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    account_id uuid NOT NULL REFERENCES account (id),
    device_id uuid NOT NULL,
    -- The length is the type's: a check would be read and run anew at each refresh.
    -- squawk-ignore prefer-text-field
    browser varchar(100) NOT NULL,
    is_shared_device boolean NOT NULL DEFAULT false,
    secret bytea NOT NULL,
    generation integer NOT NULL DEFAULT 1,
    previous_generation integer,
    rotated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (school_id, id),
    FOREIGN KEY (school_id, person_id) REFERENCES person (school_id, id)
) WITH (fillfactor = 80);
COMMENT ON TABLE session IS 'retention: 30 days after expires_at or ended_at; erasure: with the person';
COMMENT ON COLUMN session.previous_generation IS 'the token that was rotated into the present one, null before the first rotation';
CREATE INDEX session_account ON session (school_id, account_id);
CREATE INDEX session_person ON session (school_id, person_id);
CALL protect('session');

-- The persons of an account in every school of the cell, for whoever may read one of them.
CREATE FUNCTION account_persons(wanted uuid) RETURNS TABLE (school_id uuid, person_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT other.school_id, other.id
    FROM person AS other
    WHERE other.account_id = wanted AND other.retired_at IS NULL AND EXISTS (
        SELECT FROM person AS own
        WHERE own.account_id = wanted AND own.school_id = ANY ((SELECT readable_schools())::uuid[])
    )
$$;
ALTER FUNCTION account_persons(uuid) OWNER TO firstbell_search;

-- The school in which a printed activation code is valid; whoever has the code may know.
CREATE FUNCTION school_of_activation_code(wanted bytea) RETURNS TABLE (school_id uuid, code_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT code.school_id, code.id FROM activation_code AS code WHERE code.code_hash = wanted
$$;
ALTER FUNCTION school_of_activation_code(bytea) OWNER TO firstbell_search;

-- Who in the transaction's school has a name that begins so, either name first; a page of ids in the order of a list.
CREATE FUNCTION people_named(beginning text, skipped integer, most integer) RETURNS TABLE (person_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person.id
    FROM person
    WHERE person.school_id = (SELECT readable_schools())[1] AND person.retired_at IS NULL AND (
        lower(person.given_name || ' ' || person.family_name) LIKE beginning || '%'
        OR lower(person.family_name || ' ' || person.given_name) LIKE beginning || '%'
    )
    ORDER BY lower(person.family_name || ' ' || person.given_name), person.id
    OFFSET skipped LIMIT most
$$;
ALTER FUNCTION people_named(text, integer, integer) OWNER TO firstbell_search;

-- How many people each school of the installation has, for its operator; numbers name nobody.
CREATE FUNCTION count_people() RETURNS TABLE (school_id uuid, role text, people bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person.school_id, held.role, count(*)
    FROM person CROSS JOIN unnest(person.roles) AS held (role)
    WHERE person.retired_at IS NULL
    GROUP BY person.school_id, held.role
$$;
ALTER FUNCTION count_people() OWNER TO firstbell_search;

REVOKE ALL ON FUNCTION
account_persons(uuid), school_of_activation_code(bytea), people_named(text, integer, integer), count_people()
FROM public;
GRANT EXECUTE ON FUNCTION
account_persons(uuid), school_of_activation_code(bytea), people_named(text, integer, integer), count_people()
TO firstbell_app, firstbell_jobs;
