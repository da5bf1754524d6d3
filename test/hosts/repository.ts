/** Packages made by a test, and the directory on a host where its apt finds them: hosts reach no repository. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { must } from "./support/commands";
import type { Host } from "./support/hosts";

export interface Package {
  readonly name: string;
  /** Text by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly depends?: string;
  /** Maintainer scripts by name, without their first line. */
  readonly scripts?: Readonly<Record<string, string>>;
}

const REPOSITORY = "srv/packages";

/** What debhelper writes into the package of a service: it enables it and starts it. */
export function enabling(unit: string): string {
  return `if [ "$1" = configure ]; then
  deb-systemd-helper unmask ${unit} >/dev/null || true
  if deb-systemd-helper --quiet was-enabled ${unit}; then deb-systemd-helper enable ${unit} >/dev/null || true
  else deb-systemd-helper update-state ${unit} >/dev/null || true; fi
  systemctl --system daemon-reload >/dev/null || true
  deb-systemd-invoke start ${unit} >/dev/null || true
fi
`;
}

/** Makes the packages the only ones that the host's apt can find; its lists know none of them yet. */
export async function offer(host: Host, packages: readonly Package[]): Promise<void> {
  const folder = join(host.rootDir, REPOSITORY);
  mkdirSync(folder, { recursive: true });
  const index: string[] = [];
  for (const each of packages) index.push(await build(each, folder));
  writeFileSync(join(folder, "Packages"), index.join("\n"));
  writeFileSync(join(host.rootDir, "etc/apt/sources.list"), `deb [trusted=yes] file:/${REPOSITORY} ./\n`);
}

/** The package's paragraph in the index. See https://wiki.debian.org/DebianRepository/Format. */
async function build({ name, files, depends, scripts = {} }: Package, folder: string): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), "gofleet-package-"));
  const write = (path: string, text: string, mode: number): void => {
    mkdirSync(dirname(join(work, path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(work, path), text, { mode });
  };
  const control = [
    `Package: ${name}`,
    "Version: 1.0",
    "Architecture: all",
    "Maintainer: Tests <root@localhost>",
    ...(depends === undefined ? [] : [`Depends: ${depends}`]),
    "Description: of a test",
    "",
  ].join("\n");
  write("DEBIAN/control", control, 0o644);
  for (const [script, body] of Object.entries(scripts)) write(`DEBIAN/${script}`, `#!/bin/sh\nset -e\n${body}`, 0o755);
  for (const [path, text] of Object.entries(files)) write(path, text, path.includes("/bin/") ? 0o755 : 0o644);
  const file = `${name}_1.0_all.deb`;
  await must("chmod", ["755", work]);
  await must("dpkg-deb", ["--root-owner-group", "-Zgzip", "--build", work, join(folder, file)]);
  rmSync(work, { recursive: true });
  const bytes = readFileSync(join(folder, file));
  const digest = createHash("sha256").update(bytes).digest("hex");
  return `${control.trimEnd()}\nFilename: ./${file}\nSize: ${bytes.length}\nSHA256: ${digest}\n`;
}
