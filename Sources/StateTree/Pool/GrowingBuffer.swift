/// A growing buffer at hand through a pointer: what the writer of a tree pushes and pops several times a put, where an
/// array in a class would pay for exclusivity and uniqueness checks each time. One thread at a time; freed by `free`.
struct GrowingBuffer<Element: BitwiseCopyable> {
    fileprivate struct Storage {
        var base: UnsafeMutablePointer<Element>
        var capacity: Int
        var head = 0
        var end = 0
    }

    fileprivate let storage: UnsafeMutablePointer<Storage>

    init(capacity: Int = 64) {
        storage = .allocate(capacity: 1)
        storage.initialize(to: Storage(base: .allocate(capacity: capacity), capacity: capacity))
    }

    func free() {
        storage.pointee.base.deallocate()
        storage.deallocate()
    }

    var count: Int { storage.pointee.end &- storage.pointee.head }
    var isEmpty: Bool { count == 0 }

    /// Requires an index below `count`.
    subscript(index: Int) -> Element {
        @inline(__always) get { storage.pointee.base[storage.pointee.head &+ index] }
        nonmutating set { storage.pointee.base[storage.pointee.head &+ index] = newValue }
    }

    @inline(__always)
    func append(_ element: Element) {
        if storage.pointee.end == storage.pointee.capacity { makeRoom() }
        storage.pointee.base[storage.pointee.end] = element
        storage.pointee.end &+= 1
    }

    /// Requires that it is not empty.
    @inline(__always)
    func removeLast() -> Element {
        storage.pointee.end &-= 1
        return storage.pointee.base[storage.pointee.end]
    }

    /// Takes out the last elements; valid until the next is added. Requires that there are so many.
    func removeLast(_ count: Int) -> UnsafeRawBufferPointer {
        storage.pointee.end &-= count
        let start = UnsafeRawPointer(storage.pointee.base + storage.pointee.end)
        return UnsafeRawBufferPointer(start: start, count: count * MemoryLayout<Element>.stride)
    }

    /// Requires that it is not empty.
    func removeFirst() -> Element {
        storage.pointee.head &+= 1
        return storage.pointee.base[storage.pointee.head &- 1]
    }

    /// All elements; valid until the next is added.
    var elements: UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(start: storage.pointee.base + storage.pointee.head, count: count)
    }

    /// A copy of all elements.
    var all: [Element] { (0..<count).map { self[$0] } }

    func removeAll() { (storage.pointee.head, storage.pointee.end) = (0, 0) }

    func insert(_ element: Element, at index: Int) {
        append(element)
        for i in stride(from: count - 1, to: index, by: -1) { self[i] = self[i - 1] }
        self[index] = element
    }

    /// Moves what is left to the front if half of the room is free there, else doubles the room.
    fileprivate func makeRoom() {
        let (old, count) = (storage.pointee, count)
        let isHalfFree = old.head >= old.capacity / 2
        let base = isHalfFree ? old.base : .allocate(capacity: max(16, old.capacity * 2))
        base.update(from: old.base + old.head, count: count)
        if !isHalfFree {
            old.base.deallocate()
            storage.pointee.capacity = max(16, old.capacity * 2)
        }
        (storage.pointee.base, storage.pointee.head, storage.pointee.end) = (base, 0, count)
    }
}

extension GrowingBuffer<UInt8> {
    func append(contentsOf bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        while storage.pointee.capacity - storage.pointee.end < bytes.count { makeRoom() }
        let end = UnsafeMutableRawPointer(storage.pointee.base + storage.pointee.end)
        end.copyMemory(from: start, byteCount: bytes.count)
        storage.pointee.end &+= bytes.count
    }
}
