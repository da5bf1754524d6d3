import { join } from "node:path";
import { DIRECTIVES, LEFT_OUT, type ServiceDirective } from "../../src/model/service/directives";
import { REPOSITORY } from "../support/engine/project";
import { assertPage, shownValue, table } from "./tables";

describe("the page of the service", () => {
  it("has the directives that services have, with their reasons", () => {
    assertPage(join(REPOSITORY, "docs", "go-service-unit.md"), {
      directives: table(
        ["directive", "value", "why", "only with a named user"],
        DIRECTIVES.map(({ name, value, reason, dynamic }: ServiceDirective) => [
          `\`${name}\``,
          shownValue(value),
          reason,
          dynamic ? "yes" : "",
        ]),
      ),
      "left out": table(
        ["directive", "why not"],
        Object.entries(LEFT_OUT).map(([name, reason]) => [`\`${name}\``, reason]),
      ),
    });
  });
});
