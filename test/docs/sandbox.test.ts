import { join } from "node:path";
import { DIRECTIVES, LEFT_OUT, type Directive } from "../../src/model/sandbox/directives";
import { REPOSITORY } from "../support/engine/project";
import { assertPage, shownValue, table } from "./tables";

function directives(): string {
  const rows = DIRECTIVES.map((directive: Directive) => {
    const { name, value, reason } = directive;
    const changed = !("withUserNamespaces" in directive)
      ? "the same"
      : directive.withUserNamespaces === undefined
        ? "not set"
        : shownValue(directive.withUserNamespaces);
    return [`\`${name}\``, shownValue(value), reason, changed];
  });
  return table(["directive", "value", "why", "with user namespaces"], rows);
}

describe("the page of the build sandbox", () => {
  it("has the directives that slots have, with their reasons", () => {
    assertPage(join(REPOSITORY, "docs", "build-agent-sandbox.md"), {
      directives: directives(),
      "left out": table(
        ["directive", "why not"],
        Object.entries(LEFT_OUT).map(([name, reason]) => [`\`${name}\``, reason]),
      ),
    });
  });
});
