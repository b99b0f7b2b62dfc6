package import CommitLog
package import Rootfast

/// What may be done to the store of a scenario.
extension Scenario {
    package enum Action {
        case write([Change], id: String?, Durability)
        case vote(String, [Change])
        case decide(String, commits: Bool)
        case flush
        case step
        case snapshot
        case compact
        case retain
        case seal
        case reopen
    }

    /// What came of an action.
    package enum End {
        case done
        /// It failed, as the disk did, and changed nothing: the store goes on.
        case refused
        /// It failed, and what came of it only a crash can tell.
        case unknown
    }

    /// Does something; a fault that the disk was given may make it fail.
    package func perform(_ action: Action) throws -> End {
        let count = states.count
        do {
            try attempt(action)
            return .done
        } catch let error as StoreError {
            switch (action, error.code) {
            case (.reopen, .noSpace), (.reopen, .inputOutput), (.reopen, .outcomeUnknown), (.reopen, .poisoned):
                return .unknown
            case (_, .noSpace):
                states.removeLast(states.count - count)
                return .refused
            case (.step, .inputOutput), (.snapshot, .inputOutput), (.compact, .inputOutput), (.retain, .inputOutput):
                return .refused
            case (_, .inputOutput), (_, .outcomeUnknown), (_, .poisoned): return .unknown
            default: throw error
            }
        }
    }

    private func attempt(_ action: Action) throws {
        switch action {
        case .write(let changes, let id, let durability):
            try change {
                $0.commit(changes, id: id)
            } by: {
                try store.write(id: id, durability: durability) { try $0.apply(changes) }
            }
            if durability == .sync || options.durability == .sync { durable = states.count - 1 }
        case .vote(let id, let changes):
            try change {
                $0.vote(id, changes)
            } by: {
                _ = try store.prepare(id) { try $0.apply(changes) }
            }
            durable = states.count - 1
        case .decide(let id, let commits):
            try change {
                $0.decide(id, commits: commits)
            } by: {
                if commits { try store.commit(id) } else { try store.abort(id) }
            }
            durable = states.count - 1
        case .flush:
            try store.flush()
            durable = states.count - 1
        case .step: try store.maintenance.step()
        case .snapshot: _ = try store.maintenance.takeSnapshot()
        case .compact: _ = try store.maintenance.compact()
        case .retain: _ = try store.maintenance.retain()
        case .seal: try store.maintenance.seal()
        case .reopen:
            try store.close()
            durable = states.count - 1
            store = try Self.open(disk, options)
        }
    }

    /// The model goes first: from the first call on a crash may leave the new state.
    private func change(_ change: (inout StoreModel) -> Void, by work: () throws -> Void) throws {
        var model = model
        change(&model)
        states.append(State(model))
        try work()
    }
}

extension Transaction {
    fileprivate func apply(_ changes: [Change]) throws(StoreError) {
        for change in changes {
            if let value = change.value { try put(change.key, value) } else { try delete(change.key) }
        }
    }
}
