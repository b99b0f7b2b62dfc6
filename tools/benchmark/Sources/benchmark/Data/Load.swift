/// The first keys of the key space, in an order that is random in that of the keys, with a value each.
struct Load {
    let keyCount: Int

    /// Calls `body` with batches that hold them all.
    func forEachBatch(_ body: (Batch) throws -> Void) rethrows {
        for start in stride(from: 0, to: keyCount, by: Shape.keysPerLoad) {
            let batch = Batch(count: min(Shape.keysPerLoad, keyCount - start))
            for position in 0..<batch.count {
                batch.set(position, key: UInt64(start + position), valueFrom: UInt64(start + position))
            }
            try body(batch)
        }
    }
}
