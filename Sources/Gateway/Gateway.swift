import Foundation
import Logging
import Observability
import Redis
import ServiceLifecycle
import WaitingRoom

/// The gateway: takes visitors' requests and the owners' management calls. It keeps nothing of its own; run as many as you like.
@main
struct Gateway {
    static func main() async throws {
        var command: CatalogueCommand?
        switch CommandLine.arguments.dropFirst().first {
        case nil: break
        case "--export": command = .export
        case "--import":
            guard CommandLine.arguments.count == 3 else { fail("--import takes the name of a file, or - for standard input", code: 64) }
            command = .import(file: CommandLine.arguments[2])
        case "--version": return print("anteroom gateway \(anteroomVersion)")
        case "--help", "-h": return print(help)
        case .some(let argument):
            fail("unknown argument \(argument); see Gateway --help", code: 64)
        }
        do {
            let configuration = try await ServiceConfiguration.load()
            if let command { return try await run(command, configuration) }
            try await buildGateway(configuration).run()
        } catch let error as ConfigurationError {
            fail("\(error)", code: configurationExitCode)
        } catch {
            fail("\(error); HOST, PORT and METRICS_PORT say where it listens", code: 1)
        }
    }

    private static func run(_ command: CatalogueCommand, _ configuration: ServiceConfiguration) async throws {
        do {
            try await command.run(configuration)
        } catch let error as CatalogueFileError {
            fail("\(error)", code: 65)
        } catch {
            fail("\((error as? RedisError)?.description ?? error.localizedDescription)", code: 1)
        }
    }

    private static func fail(_ message: String, code: Int32) -> Never {
        FileHandle.standardError.write(Data("Gateway: \(message)\n".utf8))
        exit(code)
    }

    private static let help = """
        Anteroom gateway \(anteroomVersion): the waiting room's HTTP server.

        Usage: Gateway [--help] [--version] [--export] [--import FILE]

          --export       write the catalogue (applications, queues, accounts; secrets sealed, passwords hashed) to standard output as JSON
          --import FILE  write those records of FILE that Redis does not have, or has an older state of; - is standard input

        It is configured by environment variables, and a file .env in the working directory:

        \(ConfigurationVariable.help)

        Exit codes: 0 after SIGTERM or SIGINT, 1 when it cannot start (its port is taken), 64 unknown argument, 65 a file that is no catalogue, 78 wrong configuration (one line says which variable).
        """
}
