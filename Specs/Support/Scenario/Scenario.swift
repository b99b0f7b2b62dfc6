package import Rootfast

/// A store on a simulated disk, what it should hold, and what a crash at any call may leave of it.
///
/// Each action is taken in the model first, so that the disk's calls on its behalf fall between two known states. With
/// `.sync` an acknowledged action has to survive; with `.async` it may be lost together with all after it.
package final class Scenario {
    package let options: Options
    package private(set) var disk = SimulatedDisk()
    package internal(set) var store: Store
    /// The states that the store has been in since it was last opened, in order; the last is the newest.
    package internal(set) var states: [State]
    /// The index of the oldest state that a crash may leave.
    package internal(set) var durable = 0
    /// The disk as it was right before each call that changes it, since they were last taken.
    private var moments: [Moment] = []
    /// How many transactions with an id there were.
    var idCount = 0

    package struct State {
        package let model: StoreModel
        package let face: StoreFace

        init(_ model: StoreModel) {
            self.model = model
            face = model.face
        }
    }

    /// The disk at a call, and the states that a crash there may leave.
    package struct Moment {
        package let call: String
        package let disk: SimulatedDisk
        package let allowed: ClosedRange<Int>
    }

    /// - Parameter disk: where the store is made; an empty one.
    package init(_ options: Options, on disk: SimulatedDisk = SimulatedDisk()) throws {
        self.options = options
        self.disk = disk
        store = try Self.open(disk, options, creating: true)
        states = [State(StoreModel())]
    }

    /// Opens what is on a disk, in a world without chance and threads.
    package static func open(_ disk: SimulatedDisk, _ options: Options, creating: Bool = false) throws -> Store {
        try Store.open(disk, creating: creating, options: options, environment: .deterministic())
    }

    package var model: StoreModel { states.last!.model }

    // MARK: - Crashes

    /// Notes the disk at each call from now on.
    package func watch() {
        disk.watch { [weak self] call, name, disk in
            // What only reads leaves nothing new.
            guard !["pread", "fstat", "faccessat", "list"].contains(call) else { return }
            guard let self else { return }
            moments.append(Moment(call: "\(call) \(name)", disk: disk, allowed: durable...(states.count - 1)))
        }
    }

    /// Takes over the moments noted since this was last called. What was refused in the end may not be left by any.
    package func takeMoments() -> [Moment] {
        defer { moments = [] }
        return moments.map { moment in
            let newest = min(moment.allowed.upperBound, states.count - 1)
            return Moment(call: moment.call, disk: moment.disk, allowed: moment.allowed.lowerBound...newest)
        }
    }

    /// Goes on with what a crash left of the store. Fails unless that is one of the states allowed.
    package func goOn(with image: SimulatedDisk) throws {
        disk.watch(nil)
        disk = image
        store = try Self.open(image, options)
        let index = try index(of: StoreFace(store), in: durable...(states.count - 1))
        states = [states[index]]
        durable = 0
    }

    /// The state that has this face, of those allowed.
    package func index(of face: StoreFace, in allowed: ClosedRange<Int>) throws(UnmetExpectation) -> Int {
        if let index = allowed.last(where: { states[$0].face == face }) { return index }
        let known = states.firstIndex { $0.face == face }
        throw UnmetExpectation(
            what: "what is left is \(known.map { "state \($0)" } ?? "no state there ever was"), sequence "
                + "\(face.sequence), in doubt \(face.inDoubt), and not one of \(allowed)",
            place: "")
    }
}
