import { join } from "node:path";
import { hasCommand, must } from "../hosts/support/commands";
import { needsGo } from "../support/go";
import { passesItsOwnTests } from "../support/host-tool";
import { skip } from "../support/skip";

const SOURCE = join(__dirname, "..", "..", "hosttools", "sandbox");

describe("gofleet-sandbox", function () {
  this.timeout(15 * 60_000);

  it("is formatted, vetted and passes its own tests", function () {
    needsGo(this);
    passesItsOwnTests(this, "sandbox", ["-timeout", "14m"]);
  });

  it("has no data race while it reads, copies and waits for build caches", async function () {
    needsGo(this);
    if (!hasCommand("gcc")) skip(this, "go test -race needs a C compiler");
    const tests = "TwoAtOnce|OnlyWhatChanged|BelongsTo";
    const environment = ["GOFLAGS=", "GOTOOLCHAIN=local", "CGO_ENABLED=1", "go", "-C", SOURCE];
    await must("env", [...environment, "test", "-race", "-run", tests, "./internal/cache"], { timeout: 10 * 60_000 });
  });
});
