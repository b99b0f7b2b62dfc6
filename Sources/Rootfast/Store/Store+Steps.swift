/// Transactions that are taken step by step, for a caller who cannot put one into a closure, such as the tool's session.
extension Store {
    /// A transaction that is open until it is handed to `commit` or `prepare`, or dropped. One thread at a time may use it.
    ///
    /// - Throws: `readOnly`.
    package func begin() throws(StoreError) -> Transaction {
        try checkWritable()
        let attempt = Attempt(self)
        return Transaction { self.basis(attempt) }
    }

    /// One attempt of `write`. Whatever comes of it, the transaction is over.
    package func commit(_ transaction: Transaction, id: String? = nil) throws(StoreError) -> Receipt {
        defer { transaction.end() }
        let idBytes = try id.map { (id) throws(StoreError) in try Limits.check(id: id) }
        maintenance.slowDown()
        let action = try transaction.proposal(isVoted: false).writing(id: idBytes)
        return try queue.submit(CommitRequest(action, options.durability))
    }

    /// One attempt of `prepare`. Whatever comes of it, the transaction is over.
    package func prepare(_ transaction: Transaction, id: String) throws(StoreError) -> PreparedTransaction {
        defer { transaction.end() }
        let idBytes = try Limits.check(id: id)
        _ = try queue.submit(CommitRequest(.prepare(transaction.proposal(isVoted: true), id: idBytes)))
        return PreparedTransaction(self, id)
    }
}
