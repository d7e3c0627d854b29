-- The back office. Never on the login path; hot truth lives in the objects.
-- Times are milliseconds since 1970, service time. No numbers, tokens, names or codes in clear.

-- Index of accounts, for scans and reports. Fed by the accounts' outboxes.
CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    created_at    INTEGER NOT NULL,
    last_login_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_by_last_login ON accounts (last_login_at);

-- Keys of backends. The key itself is shown once when it is made; only its SHA-256 is kept.
CREATE TABLE api_keys (
    digest     TEXT PRIMARY KEY CHECK (length(digest) = 64),
    name       TEXT NOT NULL UNIQUE,
    scopes     TEXT NOT NULL,
    role       TEXT NOT NULL DEFAULT 'backend' CHECK (role IN ('backend', 'viewer', 'support', 'operator', 'security')),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- What somebody may have to answer for.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    action     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    request_id TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_subject ON audit (subject, at);
