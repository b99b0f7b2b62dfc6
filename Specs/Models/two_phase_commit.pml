/*
 * Two-phase commit: one transaction G over two stores, a coordinator, local rivals, snapshots, and crashes at any step.
 *
 * A store is its log: records admitted, of which a prefix is written (in the page cache at least), of which a prefix is
 * durable. `kill` loses what is not written; `power loss` also what is not durable, a flush whole or not at all. The
 * coordinator keeps its own decision durably and asks again when an answer is lost. G reads one key and writes another,
 * so it holds two locks; a rival writes either of the two keys.
 *
 * Claims, at every step of every interleaving:
 *   atomicity    not committed at one store and aborted at the other, in what is durable
 *   promise      a vote that was answered is in doubt or decided, whatever happens
 *   isolation    no rival commits between G's vote and its decision (the log says so, not the lock table)
 *   idempotence  a decision is in a log at most once, and what a store answered about G it never takes back
 *   liveness     (ltl decided) in doubt ends once the coordinator has decided, crashes being finitely many
 * Replay refuses what StateMachine refuses, by assertion.
 */
#ifndef CRASHES
#define CRASHES 2     /* kills and power losses of either store, and lost answers */
#endif
#ifndef RIVALS
#define RIVALS 1      /* commits of each store's local rivals */
#endif
#ifdef BROKEN_DECIDE_TWICE
#define LOG 4
#else
#define LOG 3         /* records of a store: a vote, its decision, the rivals */
#endif

mtype:record = { Vote, Commit, Abort, Rival }
mtype:outcome = { Unknown, InDoubt, Committed, Aborted }
mtype:answer = { None, Yes, No }

typedef Store {
    mtype:record log[LOG];
    byte admitted, written, durable;                    /* lengths of `log` */
    mtype:outcome outcome = Unknown; bool writeLock, readLock;    /* memory: what StateMachine holds */
    byte snapshot; mtype:outcome snapshotOutcome = Unknown;       /* state.sqlite: replay goes on from here */
    bool isOpen;                                        /* recovered, and serving */
    byte prepareEnd, decideEnd;                         /* calls wait until this much is durable; 0: none waits */
    mtype:outcome prepareTells = Unknown, decideTells = Unknown;    /* their answers, as of their admission */
    byte rivals;
}
Store s[2];
byte crashes;

/* The coordinator. */
mtype:answer answer[2] = None;
mtype:outcome decision = Unknown;
bool isAsked[2];          /* prepare was called */
bool isTold[2];           /* the store answered the decision */

/* What only the claims look at. */
mtype:outcome told[2] = Unknown;    /* the last that a store answered about G */

/* What the log says of G up to an end. */
inline outcomeIn(p, end, result) {
    result = Unknown;
    for (i : 0 .. LOG - 1) {
        if
        :: i < end && s[p].log[i] == Vote -> result = InDoubt
        :: i < end && s[p].log[i] == Commit -> result = Committed
        :: i < end && s[p].log[i] == Abort -> result = Aborted
        :: else
        fi
    }
    i = 0
}

/* An answer binds: in doubt may become a decision, a decision nothing else. In doubt may be told late. */
inline tell(p, it) {
    assert(told[p] == Unknown || it == InDoubt || it == told[p] || told[p] == InDoubt && it != Unknown);
    if
    :: told[p] == Unknown || told[p] == InDoubt -> told[p] = it
    :: else
    fi
}

inline append(p, it) {
    s[p].log[s[p].admitted] = it;
    s[p].admitted++
}

inline lock(p) {
    s[p].writeLock = true;
    s[p].readLock = true
}

inline unlock(p) {
    s[p].writeLock = false;
    s[p].readLock = false
}

/* Committer.admitVote: the vote is answered once it is durable (submit waits for its flush). */
inline admitVote(p) {
    if
    :: s[p].outcome == Unknown ->
        if
        :: append(p, Vote); s[p].outcome = InDoubt; lock(p); s[p].prepareEnd = s[p].admitted
        :: answer[p] = No                               /* a conflict: nothing is written */
        fi
#ifdef BROKEN_TELL_BEFORE_DURABLE
    :: s[p].outcome == InDoubt -> tell(p, InDoubt); answer[p] = Yes
    :: else
#else
    :: else -> s[p].prepareEnd = s[p].admitted          /* duplicateID, told once it is durable */
#endif
    fi;
    if
    :: s[p].prepareEnd > 0 -> s[p].prepareTells = s[p].outcome
    :: else
    fi
}

/* Committer.admitDecision: deciding the same way again writes nothing. */
inline admitDecision(p) {
    if
    :: s[p].outcome == InDoubt ->
        if
        :: decision == Committed -> append(p, Commit)
        :: else -> append(p, Abort)
        fi;
        s[p].outcome = decision;
        unlock(p)
    :: s[p].outcome == Unknown ->                       /* unknownTransaction, told at once */
        tell(p, Unknown);
        assert(decision == Aborted);
        isTold[p] = true
#ifdef BROKEN_DECIDE_TWICE
    :: else ->
        if
        :: s[p].admitted < LOG - 1 -> append(p, Commit)
        :: else
        fi
#else
    :: else
#endif
    fi;
    if
    :: s[p].outcome != Unknown -> s[p].decideEnd = s[p].admitted; s[p].decideTells = s[p].outcome
    :: else
    fi
}

/* StateMachine(snapshot), then Replay: memory is made anew from what the disk holds. */
inline replay(p) {
    s[p].outcome = s[p].snapshotOutcome;
    unlock(p);
    if
    :: s[p].outcome == InDoubt -> relock(p)
    :: else
    fi;
    for (i : 0 .. LOG - 1) {
        if
        :: i < s[p].snapshot || i >= s[p].written
        :: else ->
            if
            :: s[p].log[i] == Vote -> assert(s[p].outcome == Unknown); s[p].outcome = InDoubt; relock(p)
            :: s[p].log[i] == Rival -> assert(s[p].outcome != InDoubt)   /* "a commit of a key that is locked" */
            :: s[p].log[i] == Commit -> assert(s[p].outcome == InDoubt); s[p].outcome = Committed; unlock(p)
            :: s[p].log[i] == Abort -> assert(s[p].outcome == InDoubt); s[p].outcome = Aborted; unlock(p)
            fi
        fi
    }
    i = 0
}

inline relock(p) {
#ifdef BROKEN_LOCKS_NOT_RESTORED
    skip
#elif defined(BROKEN_READ_LOCKS_NOT_RESTORED)
    s[p].writeLock = true
#else
    lock(p)
#endif
}

/* What a crash leaves. A flush in the page cache outlives the process; power loss decides whether it reached the disk. */
inline crash(p) {
    crashes++;
    if
    :: skip                                             /* kill */
    :: s[p].written = s[p].durable                      /* power loss without the flush under way */
    :: s[p].durable = s[p].written                      /* power loss after it got there */
    fi;
    s[p].admitted = s[p].written;
    s[p].isOpen = false;
    s[p].prepareEnd = 0; s[p].decideEnd = 0;
    s[p].prepareTells = Unknown; s[p].decideTells = Unknown;
    s[p].outcome = Unknown; unlock(p)                   /* memory is gone */
}

/* Atomicity and promise, in what is durable. Asked after every step that makes something durable, and every crash. */
inline checkDisk() {
    outcomeIn(0, s[0].durable, seen);
    outcomeIn(1, s[1].durable, other);
    assert(!(seen == Committed && other == Aborted || seen == Aborted && other == Committed));
    assert(seen != Committed && other != Committed || seen != Unknown && other != Unknown);
    assert(told[0] == Unknown || seen == told[0] || told[0] == InDoubt && seen != Unknown);
    assert(told[1] == Unknown || other == told[1] || told[1] == InDoubt && other != Unknown);
    seen = Unknown; other = Unknown
}

proctype Participant(byte p) {
    byte i;
    mtype:outcome seen = Unknown, other = Unknown;

recovery:
    atomic { replay(p) };
    if
    :: atomic { crashes < CRASHES -> crash(p); checkDisk(); goto recovery }   /* inside recovery */
    /* TailRepair: what was recovered is written again and synced before anything is served. */
#ifdef BROKEN_SERVE_BEFORE_REWRITE
    :: skip
#else
    :: d_step { s[p].durable = s[p].written; checkDisk() }
#endif
    fi;
    d_step { s[p].isOpen = true; tell(p, s[p].outcome) };    /* Store.inDoubt: anybody may look */
    assert(told[p] == Unknown || s[p].outcome == told[p] || told[p] == InDoubt && s[p].outcome != Unknown);

end:do
    /* Committer.admitWrite: validate asks the lock table. G's written key, or the key that it read. */
    :: atomic { s[p].rivals < RIVALS && (!s[p].writeLock || !s[p].readLock) ->
        outcomeIn(p, s[p].admitted, seen);
        assert(seen != InDoubt);                        /* isolation */
        seen = Unknown;
        append(p, Rival);
        s[p].rivals++ }

    /* Committer.close, persist: write, then sync; at most one flush is under way. */
    :: d_step { s[p].written == s[p].durable && s[p].admitted > s[p].written -> s[p].written = s[p].admitted }
    :: d_step { s[p].durable < s[p].written -> s[p].durable = s[p].written; checkDisk() }

    /* Answers. */
#ifdef BROKEN_ACKNOWLEDGE_BEFORE_SYNC
    :: atomic { s[p].prepareEnd > 0 && s[p].written >= s[p].prepareEnd ->
#else
    :: atomic { s[p].prepareEnd > 0 && s[p].durable >= s[p].prepareEnd ->
#endif
        tell(p, s[p].prepareTells);
        if
        :: s[p].prepareTells == InDoubt -> answer[p] = Yes
        :: else
        fi;
        s[p].prepareEnd = 0; s[p].prepareTells = Unknown }
    :: atomic { s[p].decideEnd > 0 && s[p].durable >= s[p].decideEnd ->
        tell(p, s[p].decideTells);
        assert(s[p].decideTells == decision);
        isTold[p] = true;
        s[p].decideEnd = 0; s[p].decideTells = Unknown }
    /* SnapshotWriter: at a barrier, the durable state with what is in doubt. Its steps are compaction.pml's. */
    :: d_step { s[p].durable == s[p].admitted && s[p].snapshot < s[p].durable ->
        s[p].snapshot = s[p].durable;
        s[p].snapshotOutcome = s[p].outcome
#ifdef BROKEN_VOTE_FORGOTTEN_BY_SNAPSHOT
        ;
        if
        :: s[p].outcome == InDoubt -> s[p].snapshotOutcome = Unknown
        :: else
        fi
#endif
        }

    :: atomic { crashes < CRASHES -> crash(p); checkDisk(); goto recovery }
    od
}

/* The first call may be late, after the decision even; another follows while a vote is not known. */
#define mayPrepare(p) (s[p].isOpen && s[p].prepareEnd == 0 && (!isAsked[p] || decision == Unknown && answer[p] == None))

/* Store.outcome(of:): a barrier, so it tells what is durable. */
#define mayAsk(p) (s[p].isOpen && isAsked[p] && decision == Unknown && answer[p] == None && s[p].durable == s[p].admitted)

/* The decision is sent until it is answered, and to a vote that came late. */
#define mayDecide(p) (s[p].isOpen && decision != Unknown && s[p].decideEnd == 0 \
    && (!isTold[p] || s[p].outcome == InDoubt))

proctype Coordinator() {
    byte p;
end:do
    :: atomic { mayPrepare(0) || mayPrepare(1) ->
        if
        :: mayPrepare(0) -> p = 0
        :: mayPrepare(1) -> p = 1
        fi;
        isAsked[p] = true;
        admitVote(p);
        p = 0 }
    :: atomic { mayAsk(0) || mayAsk(1) ->
        if
        :: mayAsk(0) -> p = 0
        :: mayAsk(1) -> p = 1
        fi;
        tell(p, s[p].outcome);
        if
        :: s[p].outcome == InDoubt -> answer[p] = Yes
        :: else
        fi;
        p = 0 }
    /* An answer that is lost: its caller has gone, or its connection. */
    :: d_step { crashes < CRASHES && s[0].prepareEnd > 0 -> crashes++; s[0].prepareEnd = 0; s[0].prepareTells = Unknown }
    :: d_step { crashes < CRASHES && s[1].decideEnd > 0 -> crashes++; s[1].decideEnd = 0; s[1].decideTells = Unknown }
    :: d_step { decision == Unknown && answer[0] == Yes && answer[1] == Yes -> decision = Committed }
    :: d_step { decision == Unknown -> decision = Aborted }      /* a no, a time-out, or a whim */
#ifdef BROKEN_COMMIT_WITHOUT_ALL_VOTES
    :: d_step { decision == Unknown && answer[0] == Yes -> decision = Committed }
#endif
    :: atomic { mayDecide(0) || mayDecide(1) ->
        if
        :: mayDecide(0) -> p = 0
        :: mayDecide(1) -> p = 1
        fi;
        admitDecision(p);
        p = 0 }
    od
}

#ifdef LIVENESS
ltl decided {
    [] (decision != Unknown -> <> [] (s[0].outcome != InDoubt && s[1].outcome != InDoubt))
}
#endif

init {
    atomic {
        run Participant(0);
        run Participant(1);
        run Coordinator()
    }
}
