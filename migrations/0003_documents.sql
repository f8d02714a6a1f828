-- Folders of documents; the bytes are blobs, named by their SHA-256 within a school.

CREATE TABLE blob (
    school_id uuid NOT NULL REFERENCES school (id),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    stored_at timestamptz NOT NULL,
    unreferenced_at timestamptz,
    PRIMARY KEY (school_id, sha256)
);
COMMENT ON TABLE blob IS 'retention: 35 days after the last reference went; erasure: with the documents that refer to it';
COMMENT ON COLUMN blob.unreferenced_at IS 'when a nightly round first found no document with these bytes';
CREATE INDEX blob_unreferenced ON blob (school_id, unreferenced_at) WHERE unreferenced_at IS NOT NULL;
CALL protect('blob');

-- root_id names the top folder of a tree, so that its holder (a course, later others) judges every part by one id.
CREATE TABLE folder (
    school_id uuid NOT NULL REFERENCES school (id),
    id uuid NOT NULL,
    root_id uuid NOT NULL,
    parent_id uuid,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deleted_by uuid,
    PRIMARY KEY (school_id, id),
    UNIQUE (school_id, root_id, id),
    FOREIGN KEY (school_id, root_id) REFERENCES folder (school_id, id),
    FOREIGN KEY (school_id, root_id, parent_id) REFERENCES folder (school_id, root_id, id),
    FOREIGN KEY (school_id, deleted_by) REFERENCES person (school_id, id),
    CHECK ((parent_id IS NULL) = (id = root_id))
);
COMMENT ON TABLE folder IS 'retention: as its holder, 30 days in the bin; erasure: names nobody';
COMMENT ON COLUMN folder.deleted_at IS 'in the bin since; all that goes in at once has the same instant';
CREATE INDEX folder_parent ON folder (school_id, parent_id);
CREATE INDEX folder_bin ON folder (school_id, deleted_at) WHERE deleted_at IS NOT NULL;
CALL protect('folder');

CREATE TABLE document (
    school_id uuid NOT NULL,
    id uuid NOT NULL,
    root_id uuid NOT NULL,
    folder_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    media_type text NOT NULL,
    sha256 bytea NOT NULL,
    size_bytes bigint NOT NULL,
    added_at timestamptz NOT NULL,
    added_by uuid,
    deleted_at timestamptz,
    deleted_by uuid,
    PRIMARY KEY (school_id, id),
    FOREIGN KEY (school_id, root_id, folder_id) REFERENCES folder (school_id, root_id, id),
    FOREIGN KEY (school_id, sha256) REFERENCES blob (school_id, sha256),
    FOREIGN KEY (school_id, added_by) REFERENCES person (school_id, id),
    FOREIGN KEY (school_id, deleted_by) REFERENCES person (school_id, id)
);
COMMENT ON TABLE document IS 'retention: as its folder, 30 days in the bin; erasure: added_by and deleted_by are cleared';
CREATE INDEX document_folder ON document (school_id, folder_id);
CREATE INDEX document_root ON document (school_id, root_id, added_at);
CREATE INDEX document_blob ON document (school_id, sha256);
CREATE INDEX document_bin ON document (school_id, deleted_at) WHERE deleted_at IS NOT NULL;
CALL protect('document');
