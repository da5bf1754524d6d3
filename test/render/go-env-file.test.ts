import assert from "node:assert/strict";
import { goEnvFile } from "../../src/render/go-env-file";
import { assertGolden } from "../support/golden";

describe("Go settings file", () => {
  it("is sorted, one setting a line", () => {
    assertGolden(
      "go-env/mirror.env",
      goEnvFile({
        GOTOOLCHAIN: "local",
        GOPROXY: "https://goproxy.corp.example,direct",
        GOPRIVATE: "git.corp.example/*",
        GOFLAGS: "-mod=readonly '-ldflags=-s -w'",
        GOSUMDB: undefined,
      }),
    );
  });

  it("has no setting where none is made", () => assertGolden("go-env/empty.env", goEnvFile({})));

  it("refuses a second line, also when no check was made", () => {
    assert.throws(() => goEnvFile({ GOFLAGS: "-x\nGOPROXY=off" }), /GOFLAGS holds a control character/);
  });
});
