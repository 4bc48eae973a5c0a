-- What was proposed, what people decided, what ran, and which decisions are still to be reported.
CREATE TABLE IF NOT EXISTS approvals (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    approval_id TEXT NOT NULL UNIQUE,
    idempotency_key TEXT UNIQUE,
    action TEXT NOT NULL,
    metadata TEXT NOT NULL,  -- JSON object, as proposed
    proposed_at TEXT NOT NULL,
    status TEXT NOT NULL,
    decided_at TEXT,
    reviewer TEXT,
    reason TEXT
);
CREATE INDEX IF NOT EXISTS pending ON approvals (position) WHERE status = 'pending';

CREATE TABLE IF NOT EXISTS commands (
    approval_id TEXT NOT NULL REFERENCES approvals (approval_id),
    number INTEGER NOT NULL,  -- from 0, in the order they run
    text TEXT NOT NULL,
    explanation TEXT NOT NULL,
    safety_level TEXT NOT NULL,
    risk TEXT NOT NULL,
    reasons TEXT NOT NULL,  -- JSON list
    is_refused INTEGER NOT NULL,
    status TEXT NOT NULL,
    output TEXT NOT NULL,
    PRIMARY KEY (approval_id, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unsettled ON commands (approval_id)
    WHERE status IN ('waiting', 'executing');

CREATE TABLE IF NOT EXISTS reports (
    approval_id TEXT PRIMARY KEY REFERENCES approvals (approval_id),
    body BLOB NOT NULL,  -- JSON, as it is sent and signed
    created_at TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at TEXT,  -- NULL: delivered or given up
    state TEXT NOT NULL DEFAULT 'waiting',
    last_error TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS due ON reports (next_at) WHERE next_at IS NOT NULL;

PRAGMA user_version = 1;
INSERT INTO approvals VALUES
    (1, 'approved', NULL, 'Restart', '{}', '2026-03-02T11:00:00+00:00', 'approved', '2026-03-02T11:59:00+00:00', 'Ada', NULL),
    (2, 'rejected', NULL, 'Restart', '{}', '2026-03-02T11:01:00+00:00', 'rejected', '2026-03-02T11:58:00+00:00', NULL, 'no'),
    (3, 'pending', 'key', 'Restart', '{"service": "checkout"}', '2026-03-02T11:02:00+00:00', 'pending', NULL, NULL, NULL);
INSERT INTO commands VALUES
    ('approved', 0, 'kubectl get pods', '', 'SAFE', 'SAFE', '[]', 0, 'executing', ''),
    ('approved', 1, 'kubectl get nodes', '', 'SAFE', 'SAFE', '["why"]', 0, 'waiting', ''),
    ('rejected', 0, 'kubectl get pods', '', 'SAFE', 'SAFE', '[]', 0, 'skipped', 'Not run.'),
    ('pending', 0, 'kubectl get pods', '', 'SAFE', 'SAFE', '[]', 1, 'waiting', '');
INSERT INTO reports VALUES
    ('rejected', x'7b7d', '2026-03-02T11:59:00+00:00', 3, '2026-03-02T11:59:30.500000+00:00', 'waiting', 'down');
