import { Root, shells, plan, file, release } from "/work/main/test/agent/support";
import { execFileSync } from "node:child_process";
async function main() {
  const sh = process.argv[2] ? shells().find((s) => s.name === process.argv[2]) : undefined;
  const r = new Root(sh);
  const show = (a: any) => { for (const e of a.events) console.log(JSON.stringify(e)); console.log(a.code, a.stderr); };
  const one = release(plan({ files: [file("/etc/demo/a.conf", "one\n"), file("/etc/demo/b.conf", "b\n", { place: "copy", mode: "0600" })], symlinks: [{ path: "/usr/local/bin/go", target: "/etc/demo/a.conf", switched: true }], probes: [{ name: "p", timeout: 5, script: 'cat "$GOFLEET_ROOT/etc/demo/a.conf"; echo \'x"y\'\n' }] }));
  const two = release(plan({ files: [file("/etc/demo/a.conf", "two\n"), file("/etc/other/c.conf", "c\n")] }));
  show(await r.run(one)); 
  console.log(execFileSync("find", [".", "-printf", "%M %p %l\n"], { cwd: r.path }).toString());
if (process.env.K1) {console.log(r.path);return;}
  let t = Date.now(); show(await r.run(one)); console.log("same ms", Date.now() - t);
  show(await r.run(two)); show(await r.start("read", {files: "all"}));
  if (process.env.KEEPROOT) { await r.run(one); console.log(r.path); return; }
  show(await r.start("remove"));
  console.log(execFileSync("find", [".", "-printf", "%M %p %l\n"], { cwd: r.path }).toString());
}
main();
