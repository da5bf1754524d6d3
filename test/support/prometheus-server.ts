import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "mocha";
import { freePort } from "./free-ports";
import { temporaryDirectory } from "./go";
import { program } from "./nginx";
import { skip } from "./skip";

/** How long one may take to start or to end, in milliseconds. */
const PATIENCE = 120_000;

/** A real Prometheus on loopback, with data of its own. */
export class PrometheusServer {
  readonly #folder = temporaryDirectory();
  #output = "";
  #process: ChildProcess | undefined;
  url = "";

  private constructor(private readonly programs: { readonly prometheus: string; readonly promtool: string }) {}

  /** Not started yet, for a past can be given only to one that does not run. Skips the test where there is none. */
  static open(context: Context): PrometheusServer {
    const [prometheus, promtool] = [program("prometheus"), program("promtool")];
    if (prometheus === undefined || promtool === undefined) return skip(context, "there is no prometheus");
    return new PrometheusServer({ prometheus, promtool });
  }

  /** @param openMetrics samples with their times, https://prometheus.io/docs/prometheus/latest/storage/#backfilling-from-openmetrics-format */
  remember(openMetrics: string): void {
    const file = join(this.#folder, "past.om");
    writeFileSync(file, openMetrics);
    const { status, stdout, stderr } = spawnSync(
      this.programs.promtool,
      ["tsdb", "create-blocks-from", "openmetrics", file, join(this.#folder, "data")],
      { encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`promtool ended with ${status}: ${stdout}${stderr}`);
  }

  async start(config: string): Promise<void> {
    writeFileSync(join(this.#folder, "prometheus.yml"), config);
    const port = await freePort("127.0.0.1");
    this.url = `http://127.0.0.1:${port}`;
    this.#process = spawn(
      this.programs.prometheus,
      [
        `--config.file=${join(this.#folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(this.#folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#process.stderr?.on("data", (text: Buffer) => (this.#output += text.toString()));
    await this.#until(async () => (await fetch(`${this.url}/-/ready`)).ok);
  }

  /** Waits until a query has a value other than 0. */
  async knows(query: string): Promise<void> {
    await this.#until(async () => {
      const reply = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
      const { data } = (await reply.json()) as { data?: { result?: { value: [number, string] }[] } };
      return data?.result?.some(({ value }) => Number(value[1]) > 0) === true;
    });
  }

  async stop(): Promise<void> {
    if (this.#process?.exitCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill();
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #until(condition: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + PATIENCE;
    while (!(await condition().catch(() => false))) {
      if (this.#process?.exitCode !== null) throw new Error(`prometheus ended:\n${this.#output}`);
      if (Date.now() > end) throw new Error(`prometheus was not ready in time:\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
