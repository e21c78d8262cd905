-- The journal, version 1. Times are seconds since 1970, UTC. JSON is text.
-- Few indexes on purpose: each costs a page for every row that is written.

-- One row for each start of a process that writes here. `process` tells whether it still lives;
-- `ended_at` is null while it runs, and stays null when it was killed.
CREATE TABLE runs (
    id         INTEGER PRIMARY KEY,
    process    TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    version    TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at   REAL
);

-- What was asked. `answered_at` and what follows are null until the call was answered; `later_*`
-- are null unless more became known after the answer. `outcome` is what the model was given.
CREATE TABLE calls (
    id            INTEGER PRIMARY KEY,
    run           INTEGER NOT NULL REFERENCES runs (id),
    epoch         INTEGER NOT NULL,
    call_id       TEXT NOT NULL,
    tool          TEXT NOT NULL,
    arguments     TEXT NOT NULL,
    at            REAL NOT NULL,
    answered_at   REAL,
    elapsed_ms    REAL,
    status        TEXT,
    message       TEXT,
    outcome       TEXT,
    later_at      REAL,
    later_status  TEXT,
    later_message TEXT,
    UNIQUE (run, epoch, call_id)
);
CREATE INDEX calls_at ON calls (at);

-- What was sent to a device; `id` is the command's own, which the device keeps. A row is written
-- before the first attempt. `masked` is 1 where `args` is not what was sent: a secret was left out.
-- `state`: sent, accepted, in_progress and timed_out may change still; succeeded, failed, rejected,
-- expired, superseded and unconfirmed are final; unknown is what nobody could find out.
CREATE TABLE commands (
    id        TEXT PRIMARY KEY,
    run       INTEGER NOT NULL REFERENCES runs (id),
    epoch     INTEGER NOT NULL,
    call_id   TEXT NOT NULL,
    device    TEXT NOT NULL,
    ecosystem TEXT NOT NULL,
    command   TEXT NOT NULL,
    args      TEXT NOT NULL,
    masked    INTEGER NOT NULL DEFAULT 0,
    at        REAL NOT NULL,
    attempts  INTEGER NOT NULL DEFAULT 0,
    state     TEXT NOT NULL DEFAULT 'sent',
    ended_at  REAL
) WITHOUT ROWID;
CREATE INDEX commands_device ON commands (device, at);

-- What devices said. `late` after the call was answered, `duplicate` when it was known before.
CREATE TABLE evidence (
    id        INTEGER PRIMARY KEY,
    command   TEXT NOT NULL,
    device    TEXT NOT NULL,
    at        REAL NOT NULL,
    status    TEXT NOT NULL,
    state     TEXT NOT NULL,
    late      INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX evidence_command ON evidence (command);

-- What happened around them. `kind`: session, broker, device, dropped (a refused message), gateway.
CREATE TABLE events (
    id     INTEGER PRIMARY KEY,
    run    INTEGER NOT NULL REFERENCES runs (id),
    at     REAL NOT NULL,
    kind   TEXT NOT NULL,
    state  TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX events_at ON events (at);
