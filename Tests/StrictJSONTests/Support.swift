import StrictJSON

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// What a buffer holds after the body has appended to it.
func appended(_ body: (inout ByteBuffer) -> Void) -> [UInt8] {
    var buffer = ByteBuffer()
    body(&buffer)
    return Array(buffer.bytes)
}

/// What is wrong with the text; `nil` if nothing is.
func fault(_ text: [UInt8], depthMax: Int = 32, allowsWhiteSpace: Bool = false) -> JSONError? {
    text.withUnsafeBytes { text in
        do throws(JSONError) {
            try JSONText.validate(text, depthMax: depthMax, allowsWhiteSpace: allowsWhiteSpace)
            return nil
        } catch {
            return error
        }
    }
}

func decodedBase64(_ text: [UInt8]) -> [UInt8]? {
    text.withUnsafeBytes { text in
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count + 1, alignment: 1)
        defer { target.deallocate() }
        return Base64.decode(text, to: target.baseAddress!).map { Array(target[..<$0]) }
    }
}

/// The bytes as a JSON string, behind what the buffer held before; `nil` if they were refused.
func jsonString(_ text: [UInt8], behind before: String = "") -> [UInt8]? {
    var buffer = ByteBuffer()
    buffer.append(bytes(before))
    let isUTF8 = text.withUnsafeBytes { buffer.appendJSONString($0) }
    if !isUTF8 && Array(buffer.bytes) != bytes(before) { return Array(buffer.bytes) }
    return isUTF8 ? Array(buffer.bytes) : nil
}
