import assert from "node:assert/strict";
import { readdirSync, utimesSync } from "node:fs";
import { COMPONENT, file, plan, release, Root, shells } from "./support";

const YEAR = 365 * 24 * 3600;

for (const shell of shells()) {
  describe(`agent under ${shell.name}: a clock that is put back`, function () {
    it("keeps the releases that came last", async () => {
      const root = new Root(shell);
      try {
        const numbered = (n: number) => release(plan({ files: [file("/etc/n", `${n}\n`)] }));
        const put = async (n: number) => assert.equal((await root.run(numbered(n), { keep: 2 })).code, 0);
        for (const n of [1, 2]) {
          await put(n);
          const time = Date.now() / 1000 + YEAR + n;
          utimesSync(root.at(`etc/gofleet/${COMPONENT}/releases/${numbered(n).id}`), time, time);
        }
        for (const n of [3, 4, 5]) await put(n);
        await root.quiet();
        const kept = readdirSync(root.at(`etc/gofleet/${COMPONENT}/releases`)).sort();
        assert.deepEqual(kept, [numbered(4).id, numbered(5).id].sort());
      } finally {
        root.dispose();
      }
    });
  });
}
