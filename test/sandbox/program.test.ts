import { machineGo } from "../support/go";
import { passesItsOwnTests } from "../support/host-tool";
import { skip } from "../support/skip";

describe("gofleet-sandbox", function () {
  this.timeout(15 * 60_000);

  it("is formatted, vetted and passes its own tests", function () {
    if (!machineGo()) skip(this, "there is no go command");
    passesItsOwnTests(this, "sandbox", ["-timeout", "14m"]);
  });
});
