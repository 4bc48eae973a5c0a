-- Workflows, their inputs, their events and the proposals on their way to the approval server.
CREATE TABLE IF NOT EXISTS meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
-- Changes only when the log lost or rewrote history: a cursor of another epoch means nothing here.
INSERT OR IGNORE INTO meta VALUES ('epoch', lower(hex(randomblob(4))));

CREATE TABLE IF NOT EXISTS workflows (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    finished_at TEXT,
    title TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS unfinished ON workflows (position) WHERE finished_at IS NULL;

CREATE TABLE IF NOT EXISTS inputs (
    workflow_id TEXT PRIMARY KEY REFERENCES workflows (workflow_id),
    text BLOB NOT NULL,  -- zlib of the redacted UTF-8
    redactions TEXT NOT NULL  -- JSON, kind: count
);

CREATE TABLE IF NOT EXISTS events (
    workflow_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    is_terminal INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    frame BLOB NOT NULL,
    PRIMARY KEY (workflow_id, seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS proposals (
    idempotency_key TEXT PRIMARY KEY,
    workflow_id TEXT NOT NULL,
    feedback_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    approval_id TEXT
);
CREATE INDEX IF NOT EXISTS undelivered ON proposals (workflow_id) WHERE approval_id IS NULL;
