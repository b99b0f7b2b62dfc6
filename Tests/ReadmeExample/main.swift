import Rootfast

let store = try Store.open("accounts", mode: .createIfMissing)

// Many keys change together, or none of them.
try store.write { tx in
    try tx.put("alice", "100")
    try tx.put("bob", "0")
}

// A transaction reads what it is based on. If another changes that first, it is run again.
let receipt = try store.write(id: "payment-1") { tx in
    let alice = Int(String(decoding: try tx.get("alice")!, as: UTF8.self))!
    try tx.put("alice", "\(alice - 10)")
    try tx.put("bob", "10")
}
print("commit \(receipt.sequence)")

// Anyone who has the root can check a proof, with no store at hand.
let proof = try store.proof(for: "bob")
let membership = try proof.verify(key: Array("bob".utf8), root: receipt.root)
print(membership == .absent ? "bob is absent" : "bob is proven")

// Two-phase commit: a vote survives any crash, and any later process may decide it.
_ = try store.prepare("payment-2") { try $0.put("carol", "5") }
try store.commit("payment-2")
print(try store.outcome(of: "payment-2"))

for entry in try store.view.entries() {
    print(String(decoding: entry.key, as: UTF8.self), String(decoding: entry.value, as: UTF8.self))
}
try store.close()
