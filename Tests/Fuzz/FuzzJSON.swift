// Bodies of requests: what the scanner takes for JSON Foundation takes for JSON too, and it is the same once it was written and read again.

import Foundation

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let value = try? JSONScanner.scan(bytes) else { return 0 }
    let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    precondition(theirs != nil, "Foundation refuses it")
    let text = value.text
    let again = try? JSONScanner.scan(Array(text.utf8))
    precondition(again?.text == text, "written and read again")
    return 0
}
