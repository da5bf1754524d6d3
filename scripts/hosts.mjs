// Real Debian hosts to try things on: `npm run hosts` boots two, prints how to reach them and keeps them until Ctrl-C.
//   npm run hosts -- 4          four hosts
//   npm run hosts -- --prepare  only makes the base tree that hosts start from (once per machine)
//   npm run hosts -- --install  first installs the Debian packages this needs (.ci/prepare)
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { tsImport } from "tsx/esm/api";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function fail(message) {
  console.error(message);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { prepare: { type: "boolean" }, install: { type: "boolean" } },
    });
  } catch (error) {
    return fail(`${error.message}\nusage: npm run hosts -- [NUMBER] [--prepare] [--install]`);
  }
}

const { values, positionals } = readArguments();
const number = Number(positionals[0] ?? 2);
if (!Number.isInteger(number) || number < 1 || number > 29) fail(`"${positionals[0]}" hosts: wanted a number 1 to 29`);

if (values.install) {
  const { status } = spawnSync(join(root, ".ci/prepare"), { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

const { baseTree, hosts, unavailable } = await tsImport("../test/hosts/support/hosts.ts", import.meta.url);
const reason = unavailable();
if (reason) fail(reason);

if (values.prepare) {
  console.log(await baseTree((line) => console.error(line)));
  process.exit(0);
}

// Ctrl-C is how this is meant to end: the harness removes everything as the process ends.
process.once("SIGINT", () => process.exit(0));

const names = Array.from({ length: number }, (_, index) => `rack-${String(index + 1).padStart(2, "0")}`);
const booted = await Promise.all(names.map((name) => hosts.boot(name)));

for (const host of booted) {
  const { address, hostKey, identityFile, knownHostsFile, name } = host;
  const target = { host: address, user: "fleet", become: "sudo", identity: identityFile, hostKey };
  const fields = Object.entries(target).map(([key, value]) => `  ${key}: ${JSON.stringify(value)},`);
  console.log(`${name}  ${address}
  ssh -i ${identityFile} -o UserKnownHostsFile=${knownHostsFile} root@${address}

ssh({
${fields.join("\n")}
})
`);
}
console.log(`This machine is ${await hosts.operatorAddress()} to them. Users: root, fleet (sudo without password) and`);
console.log(`secure (sudo password ${await hosts.sudoPassword()}). They are gone after Ctrl-C.`);

setInterval(() => undefined, 60_000);
