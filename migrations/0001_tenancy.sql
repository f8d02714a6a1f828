-- The ground on which every table stands: roles, the school of a transaction, row security, what changed.

DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['firstbell_app', 'firstbell_jobs', 'firstbell_operator'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'firstbell_search') THEN
        CREATE ROLE firstbell_search NOLOGIN BYPASSRLS;
    END IF;
END $$;

GRANT USAGE ON SCHEMA public TO firstbell_app, firstbell_jobs, firstbell_operator, firstbell_search;
-- An owner who is no superuser gives functions away only to a role that may make them there.
GRANT CREATE ON SCHEMA public TO firstbell_search;

-- The schools that this transaction may read; a family page reads several.
CREATE FUNCTION readable_schools() RETURNS uuid [] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(nullif(current_setting('firstbell.readable_schools', true), ''), '{}')::uuid[]
$$;

-- The one school that this transaction may write.
CREATE FUNCTION writable_school() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('firstbell.writable_school', true), '')::uuid
$$;

-- Row security for a table whose rows belong to a school. The scalar subselects are evaluated once per statement.
CREATE PROCEDURE protect(target regclass, verbs text DEFAULT 'SELECT, INSERT, UPDATE, DELETE')
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY reading ON %s FOR SELECT USING (school_id = ANY ((SELECT readable_schools())::uuid[]))', target);
    EXECUTE format('CREATE POLICY adding ON %s FOR INSERT WITH CHECK (school_id = (SELECT writable_school()))', target);
    EXECUTE format('CREATE POLICY changing ON %s FOR UPDATE USING (school_id = (SELECT writable_school())) WITH CHECK (school_id = (SELECT writable_school()))', target);
    EXECUTE format('CREATE POLICY removing ON %s FOR DELETE USING (school_id = (SELECT writable_school()))', target);
    EXECUTE format('GRANT %s ON %s TO firstbell_app, firstbell_jobs', verbs, target);
    EXECUTE format('GRANT SELECT ON %s TO firstbell_search', target);
    -- Imports tell the planner of what they brought.
    EXECUTE format('GRANT MAINTAIN ON %s TO firstbell_jobs', target);
END $$;

CREATE TABLE school (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9-]{1,63}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    locale text NOT NULL DEFAULT 'nl' CHECK (locale IN ('nl', 'en', 'fr')),
    time_zone text NOT NULL DEFAULT 'Europe/Brussels',
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE school IS 'retention: as long as the school is in this cell; erasure: school move or close';

-- A person signs in on the host of the school; an installation with one school answers any host.
CREATE TABLE school_host (
    host text PRIMARY KEY CHECK (host = lower(host)),
    school_id uuid NOT NULL REFERENCES school (id)
);
COMMENT ON TABLE school_host IS 'retention: as the school; erasure: with the school';

GRANT SELECT, INSERT, UPDATE ON school, school_host TO firstbell_jobs;
GRANT SELECT ON school, school_host TO firstbell_app, firstbell_operator, firstbell_search;

-- What every worker must hear of: revocations, role changes, cache versions. NATS hints, these rows decide.
CREATE TABLE change (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    school_id uuid NOT NULL REFERENCES school (id),
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE change IS 'retention: 1 day, access cookies live 10 minutes; erasure: not needed, ids only';
CREATE INDEX change_at ON change (at);
ALTER TABLE change ENABLE ROW LEVEL SECURITY;
ALTER TABLE change FORCE ROW LEVEL SECURITY;
CREATE POLICY reading ON change FOR SELECT USING (true);
CREATE POLICY adding ON change FOR INSERT WITH CHECK (school_id = (SELECT writable_school()));
CREATE POLICY removing ON change FOR DELETE TO firstbell_jobs USING (at < now() - interval '1 day');
GRANT SELECT, INSERT ON change TO firstbell_app, firstbell_jobs;
GRANT DELETE ON change TO firstbell_jobs;

-- Numbers must appear in the order of commit, or a reader that follows the tail would miss a row that committed late.
CREATE FUNCTION serialise_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7351001);
    RETURN NULL;
END $$;
CREATE TRIGGER serialise BEFORE INSERT ON change FOR EACH STATEMENT EXECUTE FUNCTION serialise_changes();

-- Who saw or changed what is sensitive.
CREATE TABLE audit (
    school_id uuid NOT NULL REFERENCES school (id),
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    person_id uuid,
    verb text NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (school_id, at, id)
) PARTITION BY RANGE (at);
COMMENT ON TABLE audit IS 'retention: 2 years, whole months are dropped; erasure: person_id is cleared with the person';
CREATE TABLE audit_other PARTITION OF audit DEFAULT;
COMMENT ON TABLE audit_other IS 'retention: as audit, for months without a partition; erasure: as audit';
CALL protect('audit', 'SELECT, INSERT');

-- Partitions of audit from this month to so many ahead; those whose rows are all older than so many months are dropped.
-- Jobs own no table, so this runs as the owner.
CREATE FUNCTION keep_audit_partitions(months_ahead integer, months_kept integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    this_month date := date_trunc('month', now() AT TIME ZONE 'UTC');
    starts_on date;
    old_name text;
BEGIN
    FOR number IN 0..months_ahead LOOP
        starts_on := this_month + make_interval(months => number);
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %I PARTITION OF audit FOR VALUES FROM (%L) TO (%L)',
            to_char(starts_on, '"audit_"YYYY_MM'),
            starts_on::text || ' 00:00Z',
            (starts_on + interval '1 month')::date::text || ' 00:00Z'
        );
    END LOOP;
    FOR old_name IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'audit'::regclass AND relname ~ '^audit_\d{4}_\d{2}$'
            AND relname < to_char(this_month - make_interval(months => months_kept), '"audit_"YYYY_MM')
    LOOP
        EXECUTE format('DROP TABLE %I', old_name);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION keep_audit_partitions(integer, integer) FROM public;
GRANT EXECUTE ON FUNCTION keep_audit_partitions(integer, integer) TO firstbell_jobs;
SELECT keep_audit_partitions(3, 24);
