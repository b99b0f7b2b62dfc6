/// Sixteen durable writers on an ext4 with a journal, made in a file: what most users have.
///
/// It is mounted by a process of its own, in a mount namespace of its own: however that ends, nothing stays mounted.
struct JournaledWorkload {
    let plan: Plan

    func run(on stage: Stage, into results: inout Results) throws {
        Progress.say("making a journaled ext4 in a file")
        let folder = stage.path("journaled")
        try Folder.make(folder)
        defer { Folder.remove(folder) }
        results.add(try JournaledCommand.run(folder: folder, plan: plan))
    }
}
