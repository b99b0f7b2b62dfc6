package import Rootfast

/// Running a plan at once, beside whatever others do.
extension TransactionPlan {
    /// On a thread. `pause` is called between operations.
    package func run(on store: Store, _ recorder: HistoryRecorder, pause: @escaping () -> Void) throws {
        let attempt = AttemptRecorder(self, recorder, pause)
        switch kind {
        case .view: try attempt.view(store)
        case .write, .abandoned: try attempt.ending { end(try store.write { tx in try attempt.run(tx) }) }
        case .vote(let isCommitted):
            try attempt.ending {
                let vote = try store.prepare(name) { tx in try attempt.run(tx) }
                pause()
                if isCommitted { return .committed(try vote.commit().sequence) }
                try vote.abort()
                return .withoutEffect
            }
        }
    }

    /// In a task.
    package func run(on store: Store, _ recorder: HistoryRecorder, pause: @escaping () -> Void) async throws {
        let attempt = AttemptRecorder(self, recorder, pause)
        switch kind {
        case .view: try attempt.view(store)
        case .write, .abandoned:
            try await attempt.ending { end(try await store.write { tx in try attempt.run(tx) }) }
        case .vote(let isCommitted):
            try await attempt.ending {
                _ = try await store.prepare(name) { tx in try attempt.run(tx) }
                pause()
                if isCommitted { return .committed(try await store.commit(name).sequence) }
                try await store.abort(name)
                return .withoutEffect
            }
        }
    }
}

/// Records each attempt of a transaction that the store may run again.
private final class AttemptRecorder {
    private struct Abandoned: Error {}

    private let plan: TransactionPlan
    private let recorder: HistoryRecorder
    private let pause: () -> Void
    private var record: RecordedTransaction?

    init(_ plan: TransactionPlan, _ recorder: HistoryRecorder, _ pause: @escaping () -> Void) {
        self.plan = plan
        self.recorder = recorder
        self.pause = pause
    }

    func run(_ tx: Transaction) throws {
        if let record {
            recorder.count("run again")
            recorder.end(record, .withoutEffect)
        }
        record = recorder.begin(plan.name)
        try perform { try tx.perform($0) }
        if plan.kind == .abandoned { throw Abandoned() }
    }

    /// Notes what is known first, and takes the view then.
    func view(_ store: Store) throws {
        record = recorder.begin(plan.name)
        let view = store.view
        try perform { try view.perform($0) }
        recorder.end(record!, .viewed(view.sequence))
    }

    private func perform(_ perform: (Operation) throws -> [Entry]) throws {
        for operation in plan.operations {
            record!.steps.append((operation, try perform(operation)))
            pause()
        }
    }

    func ending(_ run: () throws -> RecordedTransaction.End) throws {
        do {
            let end = try run()
            recorder.end(record!, end)
        } catch {
            try refuse(error)
        }
    }

    func ending(_ run: () async throws -> RecordedTransaction.End) async throws {
        do {
            let end = try await run()
            recorder.end(record!, end)
        } catch {
            try refuse(error)
        }
    }

    private func refuse(_ error: any Error) throws {
        guard error is Abandoned || (error as? StoreError)?.isLoss == true else { throw error }
        recorder.end(record!, refused: error)
    }
}
