import Rootfast
import RootfastCodable
import SpecSupport
import Testing

@Suite struct CodableTests {
    struct Account: Codable, Equatable {
        var owner: String
        var balance: Int
    }

    @Test func `a Codable value comes back, and stands in the log as JSON`() throws {
        let disk = SimulatedDisk()
        let store = try Store.open(disk, creating: true, options: Options(), environment: .deterministic())
        let account = Account(owner: "\u{e9}/\"a\"", balance: -5)
        try store.write { tx in
            try tx.put("account", encoding: account)
            #expect(try tx.get("account", as: Account.self) == account)
            #expect(try tx.get("none", as: Account.self) == nil)
        }
        #expect(try store.view.get("account", as: Account.self) == account)
        #expect(throws: DecodingError.self) { try store.view.get("account", as: [Int].self) }
        let log = String(decoding: disk.files["log/0000000001.jsonl"]!, as: UTF8.self)
        #expect(log.contains(#""data":{"account":{"balance":-5,"owner":"é/\"a\""}}"#))
    }
}
