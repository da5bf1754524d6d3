import { spawn } from "node:child_process";
import type { ExecRequest, ExecResult } from "./transport";

const STDERR_KEPT = 4096;

/** Runs a program with the upload on its standard input and hands over its output line by line, of any length. */
export function runProcess(
  program: string,
  args: readonly string[],
  { upload, onLine, timeout }: Pick<ExecRequest, "upload" | "onLine" | "timeout">,
  prefix = "",
): Promise<ExecResult> {
  return new Promise((resolve) => {
    // A process group of its own: Ctrl-C at the terminal must not cut a wave that the engine wants settled.
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
    const timer = setTimeout(() => child.kill("SIGTERM"), timeout * 1000);
    let stderr = "";
    let rest: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        rest.push(chunk.subarray(from, end));
        onLine(Buffer.concat(rest).toString("utf8"));
        rest = [];
        from = end + 1;
      }
      rest.push(chunk.subarray(from));
    });
    child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString("utf8")).slice(-STDERR_KEPT)));
    // The agent may end before it has read everything; what it said then counts, not the broken pipe.
    child.stdin.on("error", () => undefined);
    child.stdin.write(prefix);
    for (const part of upload) child.stdin.write(part);
    child.stdin.end();
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ code: 255, stderr: error.message });
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const last = Buffer.concat(rest).toString("utf8");
      if (last !== "") onLine(last);
      resolve({ code: code ?? 255, stderr: signal === null ? stderr : `${stderr}\nended by ${signal}`.trim() });
    });
  });
}
