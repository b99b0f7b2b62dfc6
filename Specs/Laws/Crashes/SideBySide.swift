import Foundation
import SpecSupport

/// Does jobs on six threads: each waits for a process most of the time, and some processes wait long, for a lock of SQLite's
/// that a failing call has left behind.
///
/// - Returns: what they reached together, and the faults that they told.
func sideBySide(
    _ count: Int, _ job: @escaping @Sendable (Int, inout Reach) throws -> Void
) -> (Reach, [any Error]) {
    let results = Results(count)
    let group = DispatchGroup()
    for _ in 0..<6 {
        group.enter()
        Thread {
            var reach = Reach()
            while let index = results.next() {
                do { try job(index, &reach) } catch { results.note(error) }
            }
            results.add(reach)
            group.leave()
        }.start()
    }
    group.wait()
    return (results.reach, results.faults)
}

/// `@unchecked Sendable`, because everything mutable is touched under `lock` only until the threads are done.
private final class Results: @unchecked Sendable {
    private let lock = NSLock()
    private var left: Range<Int>
    private(set) var reach = Reach()
    private(set) var faults: [any Error] = []

    init(_ count: Int) { left = 0..<count }

    func next() -> Int? { lock.withLock { left.popFirst() } }
    func note(_ fault: any Error) { lock.withLock { faults.append(fault) } }
    func add(_ more: Reach) { lock.withLock { reach.add(more) } }
}
