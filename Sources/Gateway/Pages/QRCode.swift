private import CQREncode

/// A QR code (ISO/IEC 18004), made by libqrencode.
struct QRCode {
    /// Dark modules, row by row.
    private let modules: [Bool]
    private let width: Int

    /// - Returns: `nil` when the text is too long for a code (about 2,300 bytes).
    init?(_ text: String) {
        // 0 is the smallest version that will do; level M is still read with a seventh of it damaged or dirty.
        guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard let data = code.pointee.data else { return nil }
        modules = (0..<width * width).map { data[$0] & 1 == 1 }
        self.width = width
    }

    /// The code as a picture of any size, dark on white whatever it is put on, with the quiet zone of four modules around it.
    /// - Parameter title: what it is, for those who do not see it.
    func svg(title: String) -> String {
        var path = ""
        for row in 0..<width {
            var column = 0
            while column < width {
                var end = column
                while end < width, modules[row * width + end] { end += 1 }
                if end > column { path += "M\(column + 4) \(row + 4)h\(end - column)v1h-\(end - column)z" }
                column = max(end, column) + 1
            }
        }
        let size = width + 8
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size) \(size)" width="\(8 * size)" height="\(8 * size)" role="img" \
            shape-rendering="crispEdges"><title>\(Self.escaped(title))</title>\
            <path fill="#fff" d="M0 0h\(size)v\(size)H0z"/><path d="\(path)"/></svg>
            """
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
