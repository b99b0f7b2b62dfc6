import Foundation
import Rootfast
import SpecSupport

/// A store that a crash subject left, whatever became of it.
struct CrashedStore {
    let path: String

    /// Opens it and fails unless it holds one of these exactly. Then it is maintained, and must be sound and tidy.
    ///
    /// - Returns: what it holds, and what opening found.
    @discardableResult
    func expect(_ models: Set<StoreModel>) throws -> (model: StoreModel, recovery: RecoveryReport) {
        let store = try open(models)
        let face = try StoreFace(store)
        let found = models.first { $0.face == face }
        try SpecSupport.expect(found != nil, "it holds \(face), which is none of \(models.map(\.face))")
        let model = found!
        try store.expect(holding: model)
        let recovery = store.recovery
        try goOn(store, model)
        return (model, recovery)
    }

    private func open(_ models: Set<StoreModel>) throws -> Store {
        do {
            let report = try Store.check(path)
            try SpecSupport.expect(report.verdict != .damaged, "\(String(describing: report.damage))")
        } catch let error as StoreError where error.code == .noStore {
            try SpecSupport.expect(models.contains(StoreModel()), "there is no store")
        }
        return try Store.open(path, mode: .createIfMissing, options: Self.options)
    }

    private func goOn(_ store: Store, _ model: StoreModel) throws {
        var model = model
        for id in model.inDoubt.keys.sorted() {
            try store.abort(id)
            model.decide(id, commits: false)
        }
        try store.maintenance.compact()
        try store.expect(holding: model)
        try store.close()
        let report = try Store.check(path)
        try SpecSupport.expect(
            report.verdict == .sound && report.leftOver.isEmpty && report.root == model.root,
            "afterwards it is \(report.verdict) with \(report.leftOver) left over")
    }

    private static let options: Options = {
        var options = Options()
        options.maintainsItself = false
        options.retention.grace = .zero
        options.retention.segments = .init(count: 0)
        return options
    }()
}
