extension TreeView {
    /// Calls `body` with each pair that can be read and verified, in order, and `missing` for each page or long value
    /// that cannot be: with the last key before and the first key behind that are known, `nil` where there is none.
    public func forEachProven(
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void,
        missing: (PageError, _ after: [UInt8]?, _ before: [UInt8]?) -> Void
    ) throws {
        guard rootSlot != 0 else { return }
        var lost: PageError?
        var last: [UInt8]?
        try reading {
            var stack = [(page: pool.page(rootSlot), entry: 0)]
            while let (page, entry) = stack.last {
                guard entry < page.count else {
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].entry += 1
                do throws(PageError) {
                    if page.isChild(entry) {
                        stack.append((try pool.child(page, entry), 0))
                        continue
                    }
                } catch {
                    if let lost { missing(lost, last, nil) }
                    lost = error
                    continue
                }
                let record = page.record(entry)
                let key = Array(record.key)
                if let error = lost {
                    missing(error, last, key)
                    lost = nil
                }
                var value: UnsafeRawBufferPointer?
                do throws(PageError) {
                    value = try pool.value(of: record)
                } catch {
                    missing(error, last, key)
                }
                if let value { try body(record.key, value) }
                last = key
            }
        }
        if let lost { missing(lost, last, nil) }
    }
}
