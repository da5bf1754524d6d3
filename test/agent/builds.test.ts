import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlanBuild, PlanDownload } from "../../src/plan/host-plan";
import { runs } from "../support/processes";
import { skip } from "../support/skip";
import {
  COMPONENT,
  file,
  h1,
  plan,
  release,
  Root,
  shells,
  until,
  which,
  zip,
  type Answer,
  type Release,
} from "./support";

const PREFIX = "example.com/tool@v1.2.3";
const FILES = {
  [`${PREFIX}/go.mod`]: "module example.com/tool\n",
  [`${PREFIX}/cmd/tool/main.go`]: "package main\n",
};

/** Stands for a toolchain: notes what it is told, builds a script, or does what `body` says. */
const go = (body = ""): string => `#!/bin/sh
{ pwd; printf '%s\\n' "$@"; env | grep '^GO\\|^CGO_\\|^HOME='; } >"$(dirname "$0")/../told"
while [ "$1" != -o ]; do shift; done
${body || 'printf "#!/bin/sh\\necho built\\n" >"$2"'}
`;

describe("agent: builds", function () {
  let work: string;
  let archive: string;
  let root: Root;

  before(function () {
    if (which("python3") === undefined) skip(this, "python3, which makes the zip here, is not installed");
    work = mkdtempSync(join(tmpdir(), "gofleet-builds-"));
    archive = join(work, "module.zip");
    zip(archive, FILES);
  });
  after(() => {
    if (work) rmSync(work, { recursive: true, force: true });
  });
  const [first] = shells();
  beforeEach(() => (root = new Root(first)));
  afterEach(() => root.dispose());

  const tool = (build: Partial<PlanBuild> = {}, more: Partial<PlanDownload> = {}): PlanDownload => ({
    name: "a-tool-1.2.3",
    format: "module",
    variants: [{ arch: "any", checksum: h1(FILES), urls: [`file://${archive}`] }],
    build: { package: "./cmd/tool", output: "tool", goRoot: "/usr/local/go", env: {}, ...build },
    ...more,
  });
  const of = (...downloads: PlanDownload[]): Release => release(plan({ downloads }));
  const lib = (path = ""): string => root.at(`usr/local/lib/gofleet/${COMPONENT}/${path}`);
  const install = (body?: string): void => {
    mkdirSync(root.at("usr/local/go/bin"), { recursive: true });
    writeFileSync(root.at("usr/local/go/bin/go"), go(body), { mode: 0o755 });
  };
  /** The number that the compiler noted, or 0. */
  const compiler = (): number => (root.has("usr/local/go/pid") ? Number(root.read("usr/local/go/pid")) : 0);
  const told = (): string[] => root.read("usr/local/go/told").split("\n");
  const said = ({ events }: Answer): unknown[] => events.filter(({ ev }) => ev === "download").map(({ msg }) => msg);
  const built = (): string => execFileSync(lib("a-tool-1.2.3/bin/tool")).toString();

  for (const shell of shells()) {
    it(`makes a command of verified sources under ${shell.name}, and keeps only that`, async () => {
      root.dispose();
      root = new Root(shell);
      install();
      const env = { GOPROXY: "https://proxy.example|direct", GOFLAGS: "-tags=small", GOCACHE: "/elsewhere" };
      const answer = await root.run(of(tool({ env })), {}, { env: { GOEXPERIMENT: "callers", GOOS: "plan9" } });
      assert.equal(answer.code, 0, JSON.stringify(answer));
      assert.deepEqual(said(answer), ["fetching", "verified", "building", "unpacked"]);
      assert.equal(built(), "built\n");
      assert.deepEqual(readdirSync(lib()), ["a-tool-1.2.3"]);
      assert.deepEqual(readdirSync(lib("a-tool-1.2.3"), { recursive: true }), ["bin", "bin/tool"]);
      const [directory, ...lines] = told();
      assert.match(directory ?? "", /\/\.part\.[^/]*\/tree$/);
      assert.equal(lines.slice(0, 6).join(" "), "build -mod=readonly -modcacherw -trimpath -buildvcs=false -o");
      assert.equal(lines[7], "./cmd/tool");
      for (const setting of ["GOPROXY=https://proxy.example|direct", "GOFLAGS=-tags=small", "GOTOOLCHAIN=local"]) {
        assert.ok(lines.includes(setting), setting);
      }
      for (const key of ["GOCACHE", "GOMODCACHE", "GOPATH", "GOTMPDIR", "GOENV", "HOME"]) {
        assert.match(lines.find((line) => line.startsWith(`${key}=`)) ?? "", /\/\.part\.[^/]*\/go\//, key);
      }
      assert.ok(lines.includes("CGO_ENABLED=0") && lines.includes("GOWORK=off"));
      assert.ok(!lines.some((line) => /^(GOEXPERIMENT|GOOS)=/.test(line)), "nothing of the caller's Go");
      assert.equal((await root.run(of(tool({ env })))).result["status"], "same");
    });
  }

  it("builds by a toolchain of the same plan, placed before it whatever the names, with the release's settings", async () => {
    mkdirSync(join(work, "go/bin"), { recursive: true });
    writeFileSync(join(work, "go/bin/go"), go('cat "$GOENV" >"$2"'), { mode: 0o755 });
    writeFileSync(join(work, "go/go.env"), "GOPROXY=its-own\n");
    execFileSync("tar", ["czf", join(work, "go.tar.gz"), "-C", work, "go"]);
    const checksum = execFileSync("sha256sum", [join(work, "go.tar.gz")])
      .toString()
      .slice(0, 64);
    const toolchain: PlanDownload = {
      name: "go1.0",
      format: "tar.gz",
      variants: [{ arch: "any", checksum, urls: [`file://${work}/go.tar.gz`] }],
      overlay: { path: "go.env", text: "/etc/go.env" },
    };
    const answer = await root.run(
      release(
        plan({
          files: [file("/etc/go.env", "GOPROXY=fleet\n")],
          downloads: [tool({ goRoot: "download:go1.0" }), toolchain],
        }),
      ),
    );
    assert.equal(answer.code, 0, JSON.stringify(answer));
    assert.equal(readFileSync(lib("a-tool-1.2.3/bin/tool"), "utf8"), "GOPROXY=its-own\nGOPROXY=fleet\n");
  });

  it("keeps the sources if they are wanted", async () => {
    install();
    const answer = await root.run(of(tool({ keepSources: true })));
    assert.equal(answer.code, 0, JSON.stringify(answer));
    assert.ok(existsSync(lib("a-tool-1.2.3/cmd/tool/main.go")));
    assert.equal(built(), "built\n");
  });

  it("builds again for another recipe, and not because modules come from elsewhere", async () => {
    install();
    assert.equal((await root.run(of(tool()))).code, 0);
    assert.equal((await root.run(of(tool({ env: { GOPROXY: "off" } })))).result["status"], "same");
    for (const build of [{ package: "./cmd/other" }, { env: { GOAMD64: "v3" } }, { output: "other" }]) {
      const answer = await root.run(of(tool(build)));
      assert.deepEqual([answer.result["status"], said(answer).at(-1)], ["ok", "unpacked"], JSON.stringify(answer));
    }
    assert.deepEqual(readdirSync(lib("a-tool-1.2.3/bin")), ["other"]);
  });

  it("sees that the command drifted, and builds it again", async () => {
    install();
    assert.equal((await root.run(of(tool()))).code, 0);
    writeFileSync(lib("a-tool-1.2.3/bin/tool"), "#!/bin/sh\necho other\n");
    const read = await root.start("read");
    assert.deepEqual(
      read.events.filter(({ ev }) => ev === "drift").map(({ kind, path }) => [kind, path]),
      [["modified", `/usr/local/lib/gofleet/${COMPONENT}/a-tool-1.2.3/bin/tool`]],
    );
    assert.equal((await root.run(of(tool()))).result["status"], "ok");
    assert.equal(built(), "built\n");
  });

  it("says what go said last when it fails, without the passwords in it", async () => {
    install(
      "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo line $i; done; echo 'GET https://ann:hunter2@corp/x: 403' >&2; exit 1",
    );
    const answer = await root.run(of(tool()));
    assert.deepEqual([answer.code, answer.result["status"]], [15, "failed"]);
    assert.match(
      String(answer.result["msg"]),
      /a-tool-1\.2\.3 could not be built: .*line 60\nGET https:\/\/corp\/x: 403$/s,
    );
    assert.ok(!JSON.stringify(answer).includes("hunter2") && !String(answer.result["msg"]).includes("line 3\n"));
    assert.ok(!root.has("usr/local/lib/gofleet") && !root.has("etc/gofleet"), "a first run that fails leaves nothing");
  });

  it("tells a full disk from a build that fails", async () => {
    install("echo 'mkdir /x: no space left on device' >&2; exit 1");
    assert.equal((await root.run(of(tool()))).code, 12);
  });

  it("refuses without a toolchain, and without any source before it builds the others", async () => {
    const none = await root.run(of(tool()));
    assert.equal(none.code, 14);
    assert.match(String(none.result["msg"]), /there is no .*\/usr\/local\/go\/bin\/go to build it with/);
    install();
    const nowhere = tool({}, { name: "b", variants: [{ arch: "any", checksum: h1(FILES), urls: [] }] });
    const answer = await root.run(of(tool(), nowhere));
    assert.deepEqual([answer.code, said(answer)], [15, []]);
    assert.match(String(answer.result["msg"]), /download b for any: no source given/);
  });

  it("ends a build that takes too long", async () => {
    install("sleep 300");
    const answer = await root.run(of(tool()), { deadline: 8 });
    assert.equal(answer.code, 15, JSON.stringify(answer));
    assert.match(String(answer.result["msg"]), /could not be built in the [1-8] s that were left/);
    assert.ok(!root.has("usr/local/lib/gofleet"));
  });

  it("leaves nothing of a build that was killed, and finishes at the next run", async () => {
    install('echo $$ >"$(dirname "$0")/../pid"; while :; do echo x >>"$GOCACHE.file"; sleep 0.05; done');
    const running = (): boolean => runs(compiler(), "bin/go");
    // Something that stays: what is left over is then not hidden by the end of a first run.
    assert.equal((await root.run(release(plan({ files: [file("/etc/demo", "x\n")] })))).code, 0);
    let kill = (): void => undefined;
    const ended = root.run(of(tool()), {}, { onEvent: (_: unknown, end: () => void) => (kill = end) });
    await until(() => compiler() !== 0);
    kill();
    await ended;
    assert.ok(running(), "the compiler is an orphan now");
    assert.equal(readdirSync(lib()).length, 1);
    chmodSync(root.at("usr/local/go/bin/go"), 0o755);
    writeFileSync(root.at("usr/local/go/bin/go"), go());
    const answer = await root.run(of(tool()));
    assert.equal(answer.code, 0, JSON.stringify(answer));
    await until(() => !running());
    assert.deepEqual(readdirSync(lib()), ["a-tool-1.2.3"]);
  });

  it("does not take away from the next run what it began, when it ends after that has taken over", async () => {
    install('cd "$(dirname "$0")/.." && echo x >>begun; until [ -e go-on ]; do sleep 0.05; done; echo built >"$2"');
    const [what, tx] = [of(tool()), "0123abcd"];
    const begun = (): number => (root.has("usr/local/go/begun") ? root.read("usr/local/go/begun").length / 2 : 0);
    const ended = root.run(what, { tx });
    await until(() => begun() === 1);
    const [upload] = readdirSync(root.at("run/gofleet")).filter((name) => name.startsWith("up."));
    const pid = Number(root.read(`run/gofleet/${upload}/pid`));
    const next = root.run(what, { tx });
    await until(() => begun() === 2);
    process.kill(pid, "SIGTERM");
    assert.equal((await ended).code, 129);
    writeFileSync(root.at("usr/local/go/go-on"), "");
    const answer = await next;
    assert.equal(answer.code, 0, JSON.stringify(answer));
    assert.equal(readFileSync(lib("a-tool-1.2.3/bin/tool"), "utf8"), "built\n");
  });

  it("ends the build when it is asked to end itself", async () => {
    install('echo $$ >"$(dirname "$0")/../pid"; exec sleep 3600');
    assert.equal((await root.run(release(plan({ files: [file("/etc/demo", "x\n")] })))).code, 0);
    const ended = root.run(of(tool()));
    await until(() => runs(compiler(), "sleep"));
    const [upload] = readdirSync(root.at("run/gofleet")).filter((name) => name.startsWith("up."));
    process.kill(Number(root.read(`run/gofleet/${upload}/pid`)), "SIGTERM");
    assert.equal((await ended).code, 129);
    assert.deepEqual(readdirSync(lib()), []);
    await until(() => !runs(compiler(), "sleep"));
  });
});
