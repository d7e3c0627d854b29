-- The queue of objections and appeals. Fed by the accounts' outboxes; what was said stands sealed in the accounts.
CREATE TABLE cases (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    state      TEXT NOT NULL CHECK (state IN ('open', 'decided', 'granted', 'refused', 'done', 'expired')),
    updated_at INTEGER NOT NULL,
    -- Account, kind, profile and times: ids and no more.
    row        TEXT NOT NULL CHECK (json_valid(row))
) STRICT;

CREATE INDEX cases_by_state ON cases (state, number);
