import assert from "node:assert/strict";
import { testMirrors, type TestMirror } from "../support/front";

const PRIVATE = ["git.corp.example", "github.com/Acme/*"];
const NAMES = ["git.corp.example/team/x", "git.corp.example/Team/x", "github.com/!acme/x", "github.com/!acme/x/v2"];
const PATHS = ["@v/list", "@latest", "@v/v1.0.0.info", "@v/v1.0.0.mod", "@v/v1.0.0.zip", "@v/main.info"];

describe("private modules that clients take from their repositories", function () {
  const make = testMirrors();
  let mirror: TestMirror;

  const start = async (privateFrom: "mirror" | "repository", args = {}): Promise<void> => {
    mirror = make({ args, context: { privateModules: PRIVATE, privateFrom } });
    mirror.athens.answer = mirror.fetches;
    for (const name of ["git.corp.example/team/x", "example.com/open"]) mirror.version(name, "v1.0.0");
    await mirror.start();
  };
  const status = async (path: string): Promise<number> => (await mirror.front.get(path)).status;

  it("are given out by no path, stored or not, and asked of nobody", async () => {
    await start("repository");
    for (const name of NAMES) {
      for (const path of PATHS) assert.equal(await status(`/${name}/${path}`), 403, `${name}/${path}`);
      assert.equal(await status(`/sumdb/sum.golang.org/lookup/${name}@v1.0.0`), 403);
    }
    assert.match((await mirror.front.get(`/${NAMES[0]}/@v/list`)).body.toString(), /come from their repositories/);
    assert.deepEqual(mirror.athens.paths, []);
  });

  it("leave every other module alone, whose names only look alike", async () => {
    await start("repository");
    assert.equal(await status("/example.com/open/@v/v1.0.0.zip"), 200);
    assert.equal(await status("/git.corp.example.org/x/@v/v1.0.0.info"), 200);
    assert.equal(await status("/github.com/acmeother/x/@v/v1.0.0.info"), 200);
    assert.equal(await status("/healthz"), 200);
  });

  it("are refused to those with a password as well", async () => {
    const passwords = { ci: "k3V9mZpQ7xTfLw2RbN8sHdYc" };
    mirror = make({
      args: { access: { users: passwords } },
      files: { passwords },
      context: { privateModules: PRIVATE, privateFrom: "repository" },
    });
    await mirror.start();
    const authorization = `Basic ${Buffer.from(`ci:${passwords.ci}`).toString("base64")}`;
    const answer = await mirror.front.get("/git.corp.example/team/x/@v/list", { headers: { authorization } });
    assert.equal(answer.status, 403);
  });

  it("come through the mirror where that is the policy", async () => {
    await start("mirror");
    assert.equal(await status("/git.corp.example/team/x/@v/v1.0.0.zip"), 200);
    assert.equal(await status("/github.com/!acme/x/@v/v1.0.0.info"), 200);
  });
});
