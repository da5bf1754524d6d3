import assert from "node:assert/strict";
import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { resolveAthens, type AthensArgs } from "../../src/model/mirror/athens";
import { checkAthens } from "../../src/model/mirror/athens-check";
import { describe as text } from "../../src/model/issues";
import { athensPlan, athensTexts, athensWrites } from "../../src/plan/mirror/athens";
import { mirrorPlace, secretPath } from "../../src/plan/mirror/place";
import { athensSecrets } from "../../src/render/mirror/athens-environment";
import { type Host, hosts, needsHosts } from "../hosts/support/hosts";
import { athensBinary } from "../support/athens";
import { machineGo, needsGo } from "../support/go";
import { packageRepository } from "./support/packages";

const place = mirrorPlace("goproxy");
const GIT = "git.corp.example";
const MODULE = `${GIT}/team/thing.git`;
const UNIT = place.athens.unit;
const STORE = "/srv/athens";

/** Athens on a real host, under its real unit: what it runs (go, git, ssh) must work in there, and nothing else. */
describe("Athens on a real host", function () {
  this.timeout(15 * 60_000);
  let host: Host;
  let args: AthensArgs;

  before(async function () {
    needsHosts(this);
    needsGo(this);
    const [binary, packages] = [await athensBinary(), await packageRepository(["git"])];
    host = await hosts.boot("athens");
    await install(packages);
    const privateKey = await gitServer();
    args = {
      storage: { kind: "disk", path: STORE, max: "1 GiB" },
      goEnv: { GOPROXY: "direct" },
      private: {
        netrc: "machine git.corp.example login fleet password p4ss",
        ssh: { key: privateKey, knownHosts: `${GIT} ${host.hostKey}`, hosts: [GIT] },
      },
      egress: { proxy: "http://127.0.0.1:9", except: [GIT, "127.0.0.1"] },
      limits: { memory: "1 GiB", tasks: 500 },
    };
    assert.equal(text(checkAthens("", args, { hosts: 1 })), "");
    putFiles(args, binary);
    await host.exec(
      `systemd-tmpfiles --create /etc/tmpfiles.d/goproxy.conf && systemctl daemon-reload && systemctl start ${UNIT}`,
    );
    await answering();
  });
  after(() => hosts.stopAll());

  const onHost = (path: string) => join(host.rootDir, path);
  const write = (path: string, content: string, mode = 0o644) => {
    mkdirSync(dirname(onHost(path)), { recursive: true });
    writeFileSync(onHost(path), content);
    chmodSync(onHost(path), mode);
  };
  const get = (path: string) =>
    host.exec(`curl -s -o /tmp/body -w '%{http_code}' --unix-socket ${place.athens.socket} http://x${path}`, {
      timeout: 240_000,
    });
  const answering = () =>
    host.exec(
      `for i in $(seq 900); do curl -sf --unix-socket ${place.athens.socket} http://x/healthz && exit; sleep 0.1; done; journalctl -u ${UNIT} >&2; exit 1`,
    );
  const inside = (command: string) =>
    host.run(`nsenter -t $(systemctl show -p MainPID --value ${UNIT}) -m -- sh -c '${command}'`);

  /** Packages, the go command, users and directories, as the mirror's other parts make them. */
  async function install(packages: string): Promise<void> {
    cpSync(packages, onHost("/opt/packages"), { recursive: true });
    await host.exec("dpkg -i /opt/packages/*.deb >/dev/null", { timeout: 240_000 });
    const root = machineGo()?.root ?? "";
    mkdirSync(onHost("/usr/local/go/bin"), { recursive: true });
    copyFileSync(join(root, "bin/go"), onHost("/usr/local/go/bin/go"));
    for (const name of ["go.env", "VERSION"]) copyFileSync(join(root, name), onHost(join("/usr/local/go", name)));
    // By this directory go knows its own tree.
    mkdirSync(onHost("/usr/local/go/pkg/tool"), { recursive: true });
    await host.exec(`useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ${place.user}`);
  }

  /** A repository behind the host's own sshd; gives the key that opens it. */
  async function gitServer(): Promise<string> {
    await host.exec(`useradd --create-home --shell /usr/bin/git-shell git && echo "127.0.0.1 ${GIT}" >>/etc/hosts`);
    const script = `set -e
      ssh-keygen -q -t ed25519 -N '' -f /opt/key
      install -d -o git -m 700 /home/git/.ssh && install -o git -m 600 /opt/key.pub /home/git/.ssh/authorized_keys
      git config --global user.email a@b && git config --global user.name a && git config --global init.defaultBranch main
      mkdir /opt/thing && cd /opt/thing && git init -q && printf 'module ${MODULE}\\n' >go.mod && git add . && git commit -qm one && git tag v1.0.0
      mkdir /team && git clone -q --bare /opt/thing /team/thing.git && chown -R git /team`;
    await host.exec(script);
    return readFileSync(onHost("/opt/key"), "utf8");
  }

  /** Everything of Athens' own plan, where the agent would put it. */
  function putFiles(given: AthensArgs, binary: string): void {
    const athens = resolveAthens<string>(given);
    const go = { goBinary: "/usr/local/go/bin/go", goRoot: "/usr/local/go" };
    const around = { ...go, privateModules: [`${GIT}/*`] };
    const { files = [] } = athensPlan(athens, place, athensTexts(athens, place, around), go);
    for (const file of files) write(file.path, file.text, parseInt(file.mode, 8));
    for (const [name, secret] of Object.entries(athensSecrets(athens))) write(secretPath(place, name), secret, 0o400);
    const unit = files.find(({ path }) => path.endsWith(UNIT))?.text ?? "";
    const program = /\/usr\/local\/lib\/\S+\/bin\/athens/.exec(unit)?.[0] ?? "";
    mkdirSync(dirname(onHost(program)), { recursive: true });
    copyFileSync(binary, onHost(program));
    const directories = athensWrites(athens, place).map((path) => `d ${path} 0750 ${place.user} ${place.user}\n`);
    write("/etc/tmpfiles.d/goproxy.conf", directories.join(""));
  }

  it("gets a private module by git over SSH, in its sandbox", async () => {
    const status = await get(`/${MODULE}/@v/v1.0.0.info`);
    assert.equal(status, "200", await host.exec(`journalctl -o cat -u ${UNIT}`));
    const version = onHost(join(STORE, MODULE, "v1.0.0"));
    assert.deepEqual(readdirSync(version).sort(), ["go.mod", "source.zip", "v1.0.0.info"]);
    assert.equal(await get(`/${MODULE}/@v/list`), "200");
    // The group reads what nginx serves; nobody else does.
    assert.equal(
      (await host.exec(`stat -c '%U %G' ${STORE}/${MODULE}/v1.0.0/source.zip`)).trim(),
      `${place.user} ${place.user}`,
    );
    assert.match(await host.exec(`stat -c %A ${place.athens.socket}`), /^srwxrwx---/);
  });

  it("says nothing of a secret in its log, its environment or its arguments", async () => {
    const log = await host.exec(
      `journalctl -o cat -u ${UNIT}; systemctl show ${UNIT}; tr '\\0' '\\n' </proc/$(systemctl show -p MainPID --value ${UNIT})/cmdline`,
    );
    assert.doesNotMatch(log, /p4ss|OPENSSH/);
  });

  it("can execute nothing that it can write, and write nothing else", async () => {
    const execution = await inside(`cp /bin/true ${STORE}/.fetch/x && ${STORE}/.fetch/x`);
    assert.match(execution.stderr, /Permission denied/);
    for (const path of ["/etc/x", "/usr/x", "/var/lib/x", "/home/x"]) {
      assert.notEqual((await inside(`touch ${path}`)).code, 0, path);
    }
    const { stdout } = await inside(`touch ${STORE}/.fetch/y && echo written`);
    assert.equal(stdout, "written\n");
  });

  it("comes back after it was killed, over its old socket and without its old fetches", async () => {
    await host.exec(`touch ${STORE}/.fetch/left && systemctl kill --kill-who=main -s KILL ${UNIT} && sleep 6`);
    await answering();
    assert.deepEqual(
      readdirSync(onHost(`${STORE}/.fetch`)).filter((name) => name === "left"),
      [],
    );
  });

  it("leaves no credential behind when it stops", async () => {
    assert.match(await host.exec(`cat /run/${place.user}-home/.netrc`), /p4ss/);
    await host.exec(`systemctl stop ${UNIT}`);
    assert.notEqual((await host.run(`ls /run/${place.user}-home /run/credentials/${UNIT}`)).code, 0);
    await host.exec(`systemctl start ${UNIT}`);
    await answering();
  });

  it("follows the keeper", async () => {
    const flag = place.athens.readOnlyEnvironment;
    await host.exec(
      `rm -rf ${STORE}/${GIT} && printf 'ATHENS_DOWNLOAD_MODE=none\\nATHENS_NETWORK_MODE=offline\\n' >${flag} && systemctl restart ${UNIT}`,
    );
    await answering();
    assert.equal(await get(`/${MODULE}/@v/v1.0.0.info`), "404");
    await host.exec(`rm ${flag} && systemctl restart ${UNIT}`);
    await answering();
    assert.equal(await get(`/${MODULE}/@v/v1.0.0.info`), "200");
  });

  it("takes no other host for the one it knows", async () => {
    await host.exec(`rm -rf ${STORE}/${GIT} && ssh-keygen -q -t ed25519 -N '' -f /opt/other`);
    const other = readFileSync(onHost("/opt/other.pub"), "utf8").split(" ").slice(0, 2).join(" ");
    const known = `${place.settings}/known_hosts`;
    const right = readFileSync(onHost(known), "utf8");
    write(known, `${GIT} ${other}\n`);
    assert.equal(await get(`/${MODULE}/@v/v1.0.0.info`), "404");
    write(known, right);
    assert.equal(await get(`/${MODULE}/@v/v1.0.0.info`), "200");
  });
});
