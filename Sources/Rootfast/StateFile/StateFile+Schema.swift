import SQLite

extension StateFile {
    /// The file's name in the store's folder, and those of what SQLite keeps beside it.
    static let name = "state.sqlite"
    static let companionNames = ["state.sqlite-wal", "state.sqlite-shm", "state.sqlite-journal"]
    /// The file while it is being made.
    static let draftName = "state.sqlite.new"
    static let draftCompanionNames = ["state.sqlite.new-journal", "state.sqlite.new-wal", "state.sqlite.new-shm"]

    /// `RFST`, so that `file` and `sqlite3` can tell what this is.
    static let applicationID = 0x5246_5354
    static let format = 1

    /// Set before the first table is made, and for good.
    static let pragmasOnce = """
        PRAGMA page_size = 8192;
        PRAGMA auto_vacuum = INCREMENTAL;
        """

    /// Set together with the tables.
    static let marks = "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(format);"

    /// The tables. Numbers are decimal, times are microseconds since 1970, hashes are 64 hexadecimal digits. SQLite keeps
    /// this text with its comments: `sqlite3 state.sqlite .schema` shows it.
    static let schema = """
        CREATE TABLE store (
          uuid TEXT NOT NULL                -- the same as in store.json
        ) STRICT;
        CREATE TABLE snapshots (            -- durable copies of the state, each at the end of a flush
          id INTEGER PRIMARY KEY,           -- rising; never used again
          sequence INTEGER NOT NULL,        -- the last commit in it
          n INTEGER NOT NULL,               -- the last record of the log before it
          timestamp INTEGER NOT NULL,       -- the time of that record
          root TEXT NOT NULL,               -- the root of the state
          chain TEXT NOT NULL,              -- the log's chain there
          segment INTEGER NOT NULL,         -- where the log goes on from here: the segment, and the byte in its file
          key_count INTEGER NOT NULL,
          tree TEXT NOT NULL,               -- the hash of the tree below the root
          root_page INTEGER NOT NULL,       -- in pages; 0 if there is no key
          root_slot INTEGER NOT NULL,
          slot_count INTEGER NOT NULL,      -- slots and numbers of long values that were ever used
          value_count INTEGER NOT NULL,
          last_page INTEGER NOT NULL,       -- the last ids in pages and long_values at that time
          last_value INTEGER NOT NULL,
          outcome_count INTEGER NOT NULL,   -- the last number in outcomes
          outcome_sum TEXT NOT NULL,        -- the sum modulo 2^256 of the hashes of the outcomes kept then
          reason TEXT NOT NULL,             -- why it was taken
          hash TEXT NOT NULL,               -- binds all of the above, its rows in in_doubt and in free_numbers
          created_at INTEGER NOT NULL,
          is_verified INTEGER NOT NULL,     -- 1 once it was read back
          deprecated_at INTEGER,            -- since when it is to be reclaimed
          is_kept INTEGER NOT NULL,         -- by hand: 1 if it was taken back, -1 if it was deprecated
          byte INTEGER NOT NULL,
          bytes INTEGER NOT NULL            -- of the pages and long values that it added
        ) STRICT;
        CREATE TABLE in_doubt (             -- the transactions in doubt at a snapshot
          snapshot INTEGER NOT NULL,
          n INTEGER NOT NULL,
          record TEXT NOT NULL,             -- the PREPARE record, spelled as in the log but for the end of its flush
          PRIMARY KEY (snapshot, n)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE free_numbers (         -- slots and numbers of long values that are free at a snapshot
          snapshot INTEGER PRIMARY KEY,
          slots BLOB NOT NULL,              -- 4 bytes each, little-endian
          long_values BLOB NOT NULL
        ) STRICT;
        CREATE TABLE pages (                -- the pages of all snapshots
          id INTEGER PRIMARY KEY,
          image BLOB NOT NULL               -- see Sources/StateTree/Pool/StoredPage.swift
        ) STRICT;
        CREATE TABLE long_values (          -- values of more than 768 bytes
          id INTEGER PRIMARY KEY,
          bytes BLOB NOT NULL
        ) STRICT;
        CREATE TABLE dropped (              -- pages and long values that are in no later snapshot
          kind TEXT NOT NULL,               -- 'page' or 'value'
          id INTEGER NOT NULL,
          snapshot INTEGER NOT NULL,        -- the first snapshot without it
          PRIMARY KEY (kind, id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX dropped_by_snapshot ON dropped (snapshot);
        CREATE TABLE outcomes (             -- of transactions with an id of their own, decided before the last snapshot
          number INTEGER PRIMARY KEY,       -- in the order of the decisions
          tx_id TEXT NOT NULL,
          sequence INTEGER                  -- of the commit; NULL if it was aborted
        ) STRICT;
        CREATE INDEX outcomes_by_id ON outcomes (tx_id);
        CREATE TABLE segments (             -- sealed segments of the log
          number INTEGER PRIMARY KEY,
          first_n INTEGER NOT NULL, last_n INTEGER NOT NULL,
          first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL,
          first_timestamp INTEGER NOT NULL, last_timestamp INTEGER NOT NULL,
          bytes INTEGER NOT NULL,
          deprecated_at INTEGER,            -- since when it is to be reclaimed
          is_kept INTEGER NOT NULL,         -- by hand: 1 if it was taken back, -1 if it was deprecated
          reclaimed_at INTEGER              -- when its file was removed
        ) STRICT;
        """
}
