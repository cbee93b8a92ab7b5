import Foundation
import Logging
import Observability
import ServiceLifecycle
import WaitingRoom

/// The gateway: takes visitors' requests and the owners' management calls. It keeps nothing of its own; run as many as you like.
@main
struct Gateway {
    static func main() async throws {
        switch CommandLine.arguments.dropFirst().first {
        case nil: break
        case "--version": return print("anteroom gateway \(anteroomVersion)")
        case "--help", "-h": return print(help)
        case .some(let argument):
            FileHandle.standardError.write(Data("Gateway: unknown argument \(argument); see Gateway --help\n".utf8))
            exit(64)
        }
        do {
            let configuration = try await ServiceConfiguration.load()
            try await buildGateway(configuration).run()
        } catch let error as ConfigurationError {
            FileHandle.standardError.write(Data("Gateway: \(error)\n".utf8))
            exit(configurationExitCode)
        } catch {
            FileHandle.standardError.write(Data("Gateway: \(error); HOST, PORT and METRICS_PORT say where it listens\n".utf8))
            exit(1)
        }
    }

    private static let help = """
        Anteroom gateway \(anteroomVersion): the waiting room's HTTP server.

        Usage: Gateway [--help] [--version]

        It is configured by environment variables, and a file .env in the working directory:

        \(ConfigurationVariable.help)

        Exit codes: 0 after SIGTERM or SIGINT, 1 when it cannot start (its port is taken), 64 unknown argument, 78 wrong configuration (one line says which variable).
        """
}
