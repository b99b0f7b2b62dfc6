/*
 * Online compaction and retention beside a writer, with a crash at every step.
 *
 * The state is the number of flushes in it. The first flush holds a vote and the last its decision, so a recovered state
 * tells whether the vote was carried over. A snapshot is a row over pages; each adds pages of its own and stands on all
 * that were added before. `live` is what SQLite shows, `disk` what of it is durable: its log keeps order, so a power loss
 * leaves either. A kill loses memory only; a power loss also any of: the flush under way, the transactions that were not
 * synced, each creation or removal of a file since its folder was synced.
 *
 * Claims, at every step of every interleaving:
 *   durability   what recovery finds is a prefix of the flushes, with every acknowledged one and every one once served
 *   votes        the vote is in doubt there exactly between its flush and its decision
 *   needed       the two newest verified snapshots lead to the log's end: their rows, pages and segments are there
 *   whole        what recovery goes on from has its row and all its pages
 *   pins         what a view reads stays
 */
#ifndef CRASHES
#define CRASHES 2
#endif
#define FLUSHES 3
#define SNAPSHOTS 3
#define SEGMENTS 4
#define BATCHES 2     /* the transactions that a snapshot's pages take */

mtype:stage = { Idle, Discard, Pages, Row, ReadBack, Flag, Plan, RemoveRows, Note, Unlink, SyncFolder }

typedef StateFile {
    bool row[SNAPSHOTS + 2], verified[SNAPSHOTS + 1], vote[SNAPSHOTS + 1];
    byte place[SNAPSHOTS + 1], segment[SNAPSHOTS + 1];    /* where the log goes on: flush and segment */
    byte pages[SNAPSHOTS + 1];                            /* batches of those that this one added */
    bool reclaimed[SEGMENTS + 1]
}
StateFile live, disk;

/* The log. */
byte written, durable, acknowledged;    /* flushes */
byte newest = 1;                        /* the segment that store.json names */
byte start[SEGMENTS + 2];               /* flushes before a segment: its first line */
bool file[SEGMENTS + 2], entry[SEGMENTS + 2];   /* is there; its durable directory entry */
bool isBeginning;                       /* the next segment has its name, and store.json does not name it yet */

/* Memory. */
bool isOpen, vote;
mtype:stage stage = Idle;
byte previous;                          /* the snapshot to go on from */
byte place, placeSegment; bool placeVote;       /* what the barrier took hold of */
bool dropRow[SNAPSHOTS + 1], dropSegment[SEGMENTS + 1];
byte pin;                               /* the snapshot that a view reads */
bool hasRead;                           /* it is the only one: one is enough */
bool isBad[SNAPSHOTS + 1];              /* a page that this snapshot added cannot be read; the disk's doing */
byte faults;
byte crashes;

/* Retention's step holds the lock of maintenance from its plan to the end. */
#define isReclaiming (stage == RemoveRows || stage == Note || stage == Unlink || stage == SyncFolder)
#ifdef BROKEN_PIN_BETWEEN_PLAN_AND_RECLAIMING
#define mayPin (!hasRead && (stage == RemoveRows || !isReclaiming))
#else
#define mayPin (!hasRead && !isReclaiming)
#endif

#define voteAt(n) ((n) >= 1 && (n) < FLUSHES)

inline copy(from, to) {
    for (i : 1 .. SNAPSHOTS) {
        to.row[i] = from.row[i]; to.verified[i] = from.verified[i]; to.vote[i] = from.vote[i];
        to.place[i] = from.place[i]; to.segment[i] = from.segment[i]; to.pages[i] = from.pages[i]
    }
    for (i : 1 .. SEGMENTS) { to.reclaimed[i] = from.reclaimed[i] }
    i = 0
}

/* The end of a transaction with synchronous = FULL: all before it is durable too. */
inline sync() {
#ifndef BROKEN_STATE_FILE_NOT_SYNCED
    copy(live, disk)
#else
    skip
#endif
}

/* The two newest verified snapshots: RetentionPlan.neededByRecovery. */
inline findNeeded() {
    newer = 0; older = 0;
    for (i : 1 .. SNAPSHOTS) {
        if
        :: live.row[i] && live.verified[i] -> older = newer; newer = i
        :: else
        fi
    }
    i = 0;
    if
    :: older == 0 -> older = newer
    :: else
    fi
}

/* Claims `needed` and `pins`. */
inline checkNeeded() {
    findNeeded();
    for (i : 1 .. SEGMENTS) {
        assert(older == 0 && (i > newest || file[i]) || older != 0 && (i < live.segment[older] || i > newest || file[i]));
        assert(pin == 0 || live.row[pin] && (i < live.segment[pin] || i > newest || file[i]))
    }
    for (i : 1 .. SNAPSHOTS) {
        assert(i > newer || live.pages[i] == BATCHES);
#ifdef BROKEN_UNVERIFIED_BASE
        assert(i > newer || !isBad[i])                  /* nothing under a verified snapshot is unread */
#endif
    }
    newer = 0; older = 0; i = 0
}

/* SnapshotWriter.prepareFile: StateFile.discardSnapshots. */
inline discard() {
    for (i : 1 .. SNAPSHOTS) {
        if
        :: i > previous ->
            live.row[i] = false; live.verified[i] = false; live.vote[i] = false;
            live.place[i] = 0; live.segment[i] = 0; live.pages[i] = 0; isBad[i] = false
        :: else
        fi
    }
    i = 0;
    sync()
}

inline insertRow() {
    live.row[previous + 1] = true;
    live.place[previous + 1] = place; live.segment[previous + 1] = placeSegment; live.vote[previous + 1] = placeVote;
    sync()
}

/* RetentionPlan, for limits that keep nothing beyond what is needed. */
inline plan() {
    findNeeded();
    for (i : 1 .. SNAPSHOTS) {
        dropRow[i] = live.row[i] && i != pin && i != older && i < newer
    }
    for (i : 1 .. SEGMENTS) {
        dropSegment[i] = file[i] && older != 0 && i < live.segment[older] && (pin == 0 || i < live.segment[pin]);
#ifdef BROKEN_RECLAIM_UP_TO_NEWEST_SNAPSHOT
        dropSegment[i] = file[i] && newer != 0 && i < live.segment[newer] && (pin == 0 || i < live.segment[pin])
#endif
    }
    newer = 0; older = 0; i = 0
}

inline forget() {
    for (i : 1 .. SNAPSHOTS) { dropRow[i] = false }
    for (i : 1 .. SEGMENTS) { dropSegment[i] = false }
    place = 0; placeSegment = 0; placeVote = false;
    i = 0
}

inline crash() {
    crashes++;
    isOpen = false; vote = false; stage = Idle; previous = 0; pin = 0; isBeginning = false;
    forget();
    if
    :: skip                                             /* kill */
    :: if                                               /* power loss */
       :: written = durable
       :: durable = written
       fi;
       if
       :: copy(disk, live)
       :: copy(live, disk)
       fi;
       for (i : 1 .. SEGMENTS) {
           if
           :: file[i] = entry[i]
           :: entry[i] = file[i]
           fi
       }
       i = 0
    fi
}

/* Recovery.newestSnapshot: the newest whose row and root page are whole and that the log goes on from. */
inline choose() {
    previous = 0;
    for (i : 1 .. SNAPSHOTS) {
        if
        :: live.row[i] ->
            assert(live.pages[i] == BATCHES && live.segment[i] <= newest);     /* whole */
            reaches = true;
            for (j : 1 .. SEGMENTS) { reaches = reaches && (j < live.segment[i] || j > newest || file[j]) }
            j = 0;
            if
            :: reaches -> previous = i
            :: else
            fi;
            reaches = false
        :: else
        fi
    }
    i = 0
}

/* Replay from there to the log's end. */
inline replay() {
    n = 0; vote = false; i = 1;
    if
    :: previous != 0 -> n = live.place[previous]; vote = live.vote[previous]; i = live.segment[previous]
    :: else
    fi;
    assert(n <= written);                               /* "the log ends before record n, which a snapshot holds" */
#ifdef BROKEN_REPLAY_FROM_SEGMENT_START
    n = start[i]; vote = vote && voteAt(n);
#endif
    for (j : i .. newest) {
        assert(file[j]);                                /* "the segment is missing" */
        assert(start[j] <= written)                     /* "records are missing at the end of the segment" */
    }
    j = 0; i = 0;
    do
    :: n < written ->
        n++;
        if
        :: n == 1 -> vote = true
        :: n == FLUSHES -> assert(vote); vote = false   /* "a COMMIT without its PREPARE" */
        :: else
        fi
    :: else -> break
    od;
    assert(acknowledged <= n);                          /* durability */
    assert(vote == voteAt(n));                          /* votes */
    n = 0
}

/* TailRepair: the log's end is written again and synced, a segment that was not begun is removed. Then it is served. */
inline repair() {
#ifndef BROKEN_SERVE_BEFORE_REWRITE
    durable = written;
#endif
    if
    :: newest < SEGMENTS -> file[newest + 1] = false; entry[newest + 1] = false; start[newest + 1] = 0
    :: else
    fi;
    acknowledged = written;
    isOpen = true
}

active proctype Store() {
    byte i, j, n, newer, older;
    bool reaches;
    file[1] = true; entry[1] = true;

recovery:
    atomic { choose(); replay(); checkNeeded() };
    if
    :: atomic { crashes < CRASHES -> crash(); goto recovery }
    :: d_step { repair() }
    fi;

end:do
    /* Committer.persist, then the answer. */
    :: d_step { !isBeginning && written == durable && written < FLUSHES -> written++ }
#ifdef BROKEN_ACKNOWLEDGE_BEFORE_SYNC
    :: d_step { acknowledged < written -> acknowledged = written }
#endif
    :: d_step { durable < written -> durable = written; acknowledged = written; vote = voteAt(durable) }

    /* LogWriter.rotate, alone or as the first part of a compaction: the name, the folder's sync, store.json. */
    :: d_step { !isBeginning && written == durable && start[newest] < durable && newest < SEGMENTS ->
        file[newest + 1] = true; start[newest + 1] = durable; isBeginning = true }
#ifdef BROKEN_NAME_BEFORE_FOLDER_SYNC
    :: d_step { isBeginning -> newest++; isBeginning = false }
#else
    :: d_step { isBeginning && !entry[newest + 1] -> entry[newest + 1] = true }
    :: d_step { isBeginning && entry[newest + 1] -> newest++; isBeginning = false }
#endif

    /* SnapshotWriter: the barrier. */
#ifdef BROKEN_BARRIER_TAKES_WHAT_IS_NOT_DURABLE
    :: d_step { stage == Idle && !isBeginning && previous < SNAPSHOTS && written > live.place[previous] ->
        place = written;
#else
    :: d_step { stage == Idle && !isBeginning && previous < SNAPSHOTS && written == durable &&
            durable > live.place[previous] ->
        place = durable;
#endif
        placeSegment = newest;
#ifdef BROKEN_VOTE_FORGOTTEN
        placeVote = false;
#else
        placeVote = voteAt(place);
#endif
        stage = Discard }
    :: atomic { stage == Discard -> d_step { discard(); stage = Pages }; checkNeeded() }
    /* Its pages, in transactions that are not synced. */
#ifdef BROKEN_ROW_BEFORE_PAGES
    :: d_step { stage == Pages && live.pages[previous + 1] == 1 -> insertRow(); live.pages[previous + 1]++; stage = ReadBack }
#endif
    :: d_step { stage == Pages && live.pages[previous + 1] < BATCHES -> live.pages[previous + 1]++ }
    :: d_step { stage == Pages && live.pages[previous + 1] == BATCHES -> stage = Row }
    :: d_step { stage == Pages && faults == 0 -> faults++; isBad[previous + 1] = true }
    /* The row, synced. */
    :: d_step { stage == Row -> insertRow(); stage = ReadBack }
    /* verifyPages: what cannot be read back is no snapshot; the next attempt discards it. */
#ifdef BROKEN_FLAG_WITHOUT_READING
    :: d_step { stage == ReadBack -> stage = Flag }
#else
    :: d_step { stage == ReadBack && !isBad[previous + 1] -> stage = Flag }
    :: d_step { stage == ReadBack && isBad[previous + 1] -> forget(); stage = Idle }
#endif
    /* settle */
    :: atomic { stage == Flag ->
        d_step {
            live.verified[previous + 1] = true;
            sync();
            previous++;
            forget()
        };
#ifdef BROKEN_FLAG_WITHOUT_READING
        assert(!isBad[previous]);
#endif
        stage = Plan;
        checkNeeded() }

    /* RetentionRun. Nothing may be pinned between its plan and its end. */
    :: d_step { stage == Plan -> plan(); stage = RemoveRows }
    :: atomic { stage == RemoveRows ->
        d_step {
            for (i : 1 .. SNAPSHOTS) {
                if
                :: dropRow[i] -> live.row[i] = false; live.verified[i] = false
                :: else
                fi
            }
            i = 0;
            sync()
        };
        stage = Note;
        checkNeeded() }
    :: d_step { stage == Note ->
        for (i : 1 .. SEGMENTS) { live.reclaimed[i] = live.reclaimed[i] || dropSegment[i] }
        i = 0;
        sync();
        stage = Unlink }
    :: atomic { stage == Unlink ->
        i = 1;
        do
        :: i <= SEGMENTS && !dropSegment[i] -> i++
        :: else -> break
        od;
        if
        :: i <= SEGMENTS -> assert(live.reclaimed[i]); file[i] = false; dropSegment[i] = false
        :: else -> stage = SyncFolder
        fi;
        i = 0;
        checkNeeded() }
    :: d_step { stage == SyncFolder ->
        for (i : 1 .. SEGMENTS) { entry[i] = file[i] }
        i = 0;
        forget();
        stage = Idle }

    /* A view of any snapshot up to the one to go on from. Maintenance.pin waits for the step that is under way. */
    :: d_step { mayPin && previous >= 1 && live.row[previous] -> pin = previous; hasRead = true }
    :: d_step { mayPin && previous >= 2 && live.row[previous - 1] -> pin = previous - 1; hasRead = true }
    :: d_step { mayPin && previous >= 3 && live.row[previous - 2] -> pin = previous - 2; hasRead = true }
#ifdef BROKEN_PIN_OF_AN_UNFINISHED_SNAPSHOT
    :: d_step { mayPin && live.row[previous + 1] -> pin = previous + 1; hasRead = true }
#endif
    :: d_step { pin != 0 -> pin = 0 }

    :: atomic { crashes < CRASHES -> crash(); goto recovery }
    od
}
