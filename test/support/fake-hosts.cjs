// Simulated hosts for pools: the wire of docs/host-protocol.md answered in memory, one JSON file a host in the
// directory GOFLEET_FAKE_STATE. Plain JavaScript, because the engine's provider process loads it by GOFLEET_TRANSPORT.
// A host's record: { machine, components: { name: { release, instance, stack, files, kept, pending?, decision? } }, fault?, visits }.
// Faults: "unreachable", "probe" (fails every new release), "probe:<release>", "probe:any" (the first one too), "stuck"
// (fails to go back as well), "check" and "check:<release>" (a check before the switch fails), "lost" (the connection ends for good after the switch), "slow:<ms>" (every visit).
"use strict";
const { spawnSync } = require("node:child_process");
const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { createHash } = require("node:crypto");
const { join } = require("node:path");
const { gunzipSync } = require("node:zlib");

const directory = process.env["GOFLEET_FAKE_STATE"];

exports.connect = (line) => {
  const address = /^ssh (?:[^@ ]+@)?([^ :]+)/.exec(line)?.[1] ?? line;
  return { place: address, exec: (request) => exec(address, line, request), close: () => undefined };
};

async function exec(address, line, { verb, upload, onLine }) {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${address}.json`);
  const known = () => (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined);
  const [, slow] = /^slow:(\d+)$/.exec(known()?.fault ?? "") ?? [];
  if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, Number(slow)));
  const host = known() ?? { machine: createHash("md5").update(address).digest("hex"), components: {} };
  const fault = host.fault ?? "";
  if (fault === "unreachable") return { code: 255, stderr: "ssh: connect to host: Permission denied (simulated)" };
  const entries = untar(gunzipSync(Buffer.concat(upload)));
  const request = Object.fromEntries(
    entries
      .get("request")
      .trimEnd()
      .split("\n")
      .map((each) => each.split("\t")),
  );
  host.visits = [...(host.visits ?? []), `${verb} ${request.release ?? ""}`.trim()].slice(-20);
  const say = (event) => onLine(JSON.stringify(event));
  const component = host.components[request.component];
  const done = (status, rc, fields = {}) => {
    save(path, host);
    const current = host.components[request.component]?.release ?? "";
    say({ ev: "result", tx: request.tx ?? "", status, rc, current, machine: host.machine, msg: "", ...fields });
    return { code: rc, stderr: "" };
  };
  say({ ev: "facts", machine: host.machine, os: "debian", version: "12", arch: "amd64", systemd: 252 });
  if (request.machine && request.machine !== host.machine && request.newmachine !== "install") {
    return done("machine", 19, { msg: `machine ${host.machine} instead of ${request.machine}` });
  }
  switch (verb) {
    case "run":
      return run();
    case "remove":
      if (component === undefined) return done("absent", 0);
      if (component.instance !== request.instance) return done("notours", 0, { msg: `owned by ${component.stack}` });
      delete host.components[request.component];
      return done("removed", 0);
    case "read":
      if (component === undefined) return done("absent", 0);
      say({ ev: "state", stack: component.stack, instance: component.instance, release: component.release });
      for (const [file, kind] of Object.entries(component.drift ?? {})) say({ ev: "drift", path: file, kind, msg: "" });
      return done("ok", 0);
    case "state":
      say({ ev: "state", release: component?.release ?? "", txn: "" });
      if (component?.decision !== undefined) say({ ev: "decision", ...component.decision });
      return done("ok", 0);
    case "releases":
      if (component === undefined) return done("absent", 0);
      for (const id of [component.release, ...(component.kept ?? []).toReversed()]) {
        say({ ev: "release", id, current: id === component.release, whole: true });
      }
      return done("ok", 0);
    case "confirm":
      if (component?.pending?.tx !== request.tx) return done("failed", 65, { msg: "not pending" });
      delete component.pending;
      return done("ok", 0);
    case "revert":
      if (component?.pending?.tx !== request.tx) return done("failed", 65, { msg: "not pending" });
      if (component.pending.before === null) delete host.components[request.component];
      else host.components[request.component] = component.pending.before;
      return done("reverted", 20, { msg: "asked to by the operator" });
    case "hook": {
      const { status, stdout, stderr } = spawnSync("sh", ["-c", entries.get("hook")], { encoding: "utf8" });
      return done(status === 0 ? "ok" : "failed", status === 0 ? 0 : 1, { msg: `${stdout}${stderr}` });
    }
    default:
      return done("ok", 0);
  }

  function run() {
    const from = component?.release ?? "";
    const { release } = request;
    if (component !== undefined && component.stack !== request.stack && request.adopt !== "take") {
      return done("owned", 18, { msg: `${request.component} belongs to ${component.stack}` });
    }
    const expected = (request.expect ?? "").split(",");
    if (from !== "" && from !== release && !expected.includes(from) && request.expect !== "any") {
      return done("moved", 17, { msg: `on ${from}, expected ${request.expect ?? "none"}` });
    }
    const unchecked = from === release || request.skipchecks === "1";
    if (!unchecked && (fault === "check" || fault === `check:${release}`)) {
      return done("failed", 23, { from, to: release, msg: "check canary: exit code 1: simulated failure" });
    }
    if (request.stageonly === "1") return done("staged", 0, { from, to: release });
    const fails = fault === "probe" ? from !== "" : fault === `probe:${release}` || fault === "probe:any";
    const goingBack = (component?.kept ?? []).includes(release);
    if (!entries.has("release/.gofleet/manifest") && !goingBack && from !== release) {
      return done("failed", 11, { from, to: release, msg: `release ${release} is not kept` });
    }
    if (fails && !goingBack) {
      say({ ev: "probe", name: "go", ok: false, out: "simulated failure" });
      return done(from === "" ? "failed" : "reverted", from === "" ? 21 : 20, {
        from,
        to: release,
        msg: "probe go failed",
      });
    }
    if (fault === "stuck" && goingBack) return done("failed", 22, { from, to: release, msg: "cannot go back" });
    const files = Object.fromEntries(
      [...entries]
        .filter(([name]) => name.startsWith("release/") && !name.includes(".gofleet/"))
        .map(([name, text]) => [name.slice(7), text]),
    );
    const seconds = from === release ? 0 : Number(request.confirm ?? 0);
    host.components[request.component] = {
      ...(seconds > 0 && { pending: { tx: request.tx, before: component ?? null } }),
      release,
      instance: request.instance,
      stack: request.stack,
      files,
      reading: reading(entries.get("release/.gofleet/manifest")) ?? component?.reading,
      kept: [...new Set([...(component?.kept ?? []), from])].filter((id) => id !== "" && id !== release),
    };
    if (fault === "lost") {
      host.fault = "unreachable";
      save(path, host);
      return { code: 255, stderr: "connection lost (simulated)" };
    }
    say({ ev: "probe", name: "go", ok: true, out: JSON.stringify(host.components[request.component].reading) });
    if (seconds > 0) {
      say({ ev: "armed", msg: String(seconds) });
      return done("unconfirmed", 0, { from, to: release });
    }
    return done(from === release ? "same" : "ok", 0, { from, to: release });
  }
}

/** What the toolchain's probe would print: the tree that `goroot` leads to. */
/** By a rename: others read it at any time, and the process may be killed in the middle. */
function save(path, host) {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, JSON.stringify(host, null, 1));
  renameSync(fresh, path);
}

function reading(manifest = "") {
  const tree = /^symlink\t\S+\/goroot\t(\S+)$/m.exec(manifest)?.[1];
  if (tree === undefined) return undefined;
  return { goRoot: tree, goVersion: tree.split("/").pop(), goBinary: "/usr/local/bin/go", goEnv: {} };
}

/** Entries of a tar: names up to 255 bytes (ustar prefix), text contents. */
function untar(bytes) {
  const entries = new Map();
  let long;
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0;) {
    const field = (from, length) =>
      bytes
        .subarray(at + from, at + from + length)
        .toString("utf8")
        .replace(/\0.*$/s, "");
    const size = Number.parseInt(field(124, 12).trim() || "0", 8);
    const type = field(156, 1);
    const content = bytes.subarray(at + 512, at + 512 + size).toString("utf8");
    const prefix = field(345, 155);
    const name = long ?? (prefix === "" ? field(0, 100) : `${prefix}/${field(0, 100)}`);
    if (type === "x") long = /\d+ path=([^\n]*)\n/.exec(content)?.[1];
    else {
      entries.set(name, content);
      long = undefined;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}
