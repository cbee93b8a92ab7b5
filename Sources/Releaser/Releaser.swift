import Foundation
import ServiceLifecycle
import WaitingRoom

/// The releaser: lets people in at each queue's rate, gives up on the silent, and delivers the callbacks owed. Run as many as you like;
/// they share the queues.
@main
struct Releaser {
    static func main() async throws {
        switch CommandLine.arguments.dropFirst().first {
        case nil: break
        case "--version": return print("anteroom releaser \(anteroomVersion)")
        case "--help", "-h": return print(help)
        case .some(let argument):
            FileHandle.standardError.write(Data("Releaser: unknown argument \(argument); see Releaser --help\n".utf8))
            exit(64)
        }
        do {
            let configuration = try await ServiceConfiguration.load()
            try await buildReleaser(configuration).run()
        } catch let error as ConfigurationError {
            FileHandle.standardError.write(Data("Releaser: \(error)\n".utf8))
            exit(configurationExitCode)
        } catch {
            FileHandle.standardError.write(Data("Releaser: \(error); HOST and METRICS_PORT say where it listens\n".utf8))
            exit(1)
        }
    }

    private static let help = """
        Anteroom releaser \(anteroomVersion): lets people in, gives up on the silent, delivers callbacks.

        Usage: Releaser [--help] [--version]

        It is configured by environment variables, and a file .env in the working directory:

        \(ConfigurationVariable.help)

        Exit codes: 0 after SIGTERM or SIGINT, 1 when it cannot start (its port is taken), 64 unknown argument, 78 wrong configuration (one line says which variable).
        """
}
