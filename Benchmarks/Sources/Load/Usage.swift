import Foundation

/// Ends a program that was started wrongly: says how it is started, and exits with 64 (`EX_USAGE` of sysexits.h).
package func end(usage: String) -> Never {
    FileHandle.standardError.write(Data("\(usage)\n".utf8))
    exit(64)
}
