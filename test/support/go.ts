import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { skip } from "./skip";

/** A Go tree and its version, as `1.26.8`. */
export interface MachineGo {
  readonly root: string;
  readonly version: string;
}

/** The Go tree of the machine's own go command; undefined where there is none. */
export function machineGo(): MachineGo | undefined {
  try {
    const env = { PATH: process.env.PATH, GOTOOLCHAIN: "local", GOENV: "off" };
    const [root = "", version = ""] = execFileSync("go", ["env", "GOROOT", "GOVERSION"], {
      encoding: "utf8",
      env,
      cwd: "/",
    })
      .trim()
      .split("\n");
    return { root, version: version.replace(/^go/, "") };
  } catch {
    return undefined;
  }
}

/** As `machineGo`; where there is none, the test is skipped. */
export function needsGo(context: Context): MachineGo {
  return machineGo() ?? skip(context, "there is no go command");
}

/** A Go tree of its own at `directory`: a copy of the go command, links to the rest, and this `go.env`. */
export function goTree(directory: string, goEnv: string): void {
  const go = machineGo();
  if (!go) throw new Error("there is no go command");
  mkdirSync(join(directory, "bin"), { recursive: true });
  for (const tool of ["go", "gofmt"]) copyFileSync(join(go.root, "bin", tool), join(directory, "bin", tool));
  for (const name of readdirSync(go.root).filter((each) => each !== "bin" && each !== "go.env")) {
    symlinkSync(join(go.root, name), join(directory, name));
  }
  writeFileSync(join(directory, "go.env"), goEnv);
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "gofleet-test-"));
}
