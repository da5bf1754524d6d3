import { createRequire } from "node:module";
import type { PulumiFn } from "@pulumi/pulumi/automation";

/** The SDK's own server for programs that run inside this process; the Automation API uses it in the same way. */
interface Server {
  addService(definition: unknown, implementation: unknown): void;
  bindAsync(address: string, credentials: unknown, done: (error: Error | null, port: number) => void): void;
  forceShutdown(): void;
}

interface Language {
  onPulumiExit(failed: boolean): void;
}

// Reached from the SDK, whose dependency grpc is.
const load = createRequire(require.resolve("@pulumi/pulumi/package.json"));
const grpc = load("@grpc/grpc-js") as { Server: new () => Server; ServerCredentials: { createInsecure(): unknown } };
const { LanguageRuntimeService } = load("@pulumi/pulumi/proto/language_grpc_pb") as { LanguageRuntimeService: unknown };
const { LanguageServer } = load("@pulumi/pulumi/automation/server") as {
  LanguageServer: new (program: PulumiFn) => Language;
};

/** Serves an inline program to a `pulumi` command line: `body` gets the option that leads it there. */
export async function served<T>(program: PulumiFn, body: (option: string) => Promise<T>): Promise<T> {
  const server = new grpc.Server();
  const language = new LanguageServer(program);
  server.addService(LanguageRuntimeService, language);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  try {
    return await body(`--client=127.0.0.1:${port}`);
  } finally {
    language.onPulumiExit(false);
    server.forceShutdown();
  }
}
