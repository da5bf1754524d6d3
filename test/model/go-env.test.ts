import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { checkGoEnv } from "../../src/model/go-env";
import { GO_ENV_KEYS, type GoEnvKey } from "../../src/model/go-env-keys";
import { goEnvFile } from "../../src/render/go-env-file";
import { goTree, needsGo, temporaryDirectory } from "../support/go";

/** A good value for each setting that takes only certain ones; the others take any text. */
const GOOD: { readonly [Key in GoEnvKey]?: readonly string[] } = {
  CC: ["gcc", "/usr/bin/clang -m64", "'/opt/my cc/gcc' -O2"],
  CGO_CFLAGS: ["-O2 -g", `'-DX="a b"' -O2`],
  CGO_CPPFLAGS: ["-I/opt/include"],
  CGO_CXXFLAGS: [`"-DIT='s"`],
  CGO_ENABLED: ["0", "1"],
  CGO_FFLAGS: ["-O1"],
  CGO_LDFLAGS: ["'-L/opt/my lib' -lx"],
  GCCGO: ["/opt/gccgo/bin/gccgo"],
  GO111MODULE: ["on", "auto"],
  GO386: ["softfloat"],
  GOAMD64: ["v3"],
  GOARCH: ["arm64"],
  GOARM: ["6", "7,softfloat"],
  GOARM64: ["v8.2", "v9.0,lse"],
  GOBIN: ["/srv/go/bin"],
  GOCACHE: ["/var/cache/go-build"],
  GOEXPERIMENT: ["none"],
  GOFIPS140: ["off", "latest"],
  GOFLAGS: ["-mod=readonly -trimpath", "'-ldflags=-s -w'", "-tags=a,b"],
  GOINSECURE: ["git.corp.example/*"],
  GOMIPS: ["softfloat"],
  GOMIPS64: ["softfloat"],
  GOMODCACHE: ["/var/cache/go-mod"],
  GONOPROXY: ["none"],
  GONOSUMDB: ["a.example,b.example/*"],
  GOOS: ["linux"],
  GOPATH: ["/srv/go", "/srv/go:/srv/more"],
  GOPPC64: ["power9"],
  GOPRIVATE: ["git.corp.example/*"],
  GOPROXY: ["https://a.example|https://b.example:8443/go,direct", "off", "file:///srv/modules"],
  GORISCV64: ["rva22u64"],
  GOSUMDB: ["off", "sumdb.corp.example+1234abcd+AAAA https://sumdb.corp.example"],
  GOTMPDIR: ["/var/tmp"],
  GOTOOLCHAIN: ["local", "auto", "path"],
  GOVCS: ["*:git", "public:git|hg,private:all"],
  GOWORK: ["off"],
  PKG_CONFIG: ["/usr/bin/pkg-config"],
};

describe("the go command", function () {
  let folder: string;
  before(function () {
    needsGo(this);
    folder = temporaryDirectory();
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  /** What go answers when its tree's go.env is this text and nothing else is set. */
  function ask(text: string, key: string): string {
    const root = join(folder, "go");
    goTree(root, text);
    try {
      // The CGO settings are not answered without a build cache.
      const env = { PATH: "/usr/bin:/bin", ...(key === "GOCACHE" ? {} : { GOCACHE: join(folder, "cache") }) };
      return execFileSync(join(root, "bin", "go"), ["env", key], { encoding: "utf8", env, cwd: "/" }).replace(
        /\n$/,
        "",
      );
    } finally {
      rmSync(root, { recursive: true });
    }
  }

  for (const key of GO_ENV_KEYS) {
    for (const value of GOOD[key] ?? ["any text = 'as it is' # $HOME \\"]) {
      it(`reads ${key}=${value} as it is checked and written`, () => {
        assert.deepEqual(checkGoEnv("env", { [key]: value }), []);
        assert.equal(ask(goEnvFile({ [key]: value }), key), value);
      });
    }
  }

  it("keeps the first of two lines, so that ours win over the release's own", () => {
    assert.equal(ask(`${goEnvFile({ GOFLAGS: "-x" })}GOFLAGS=-v\n`, "GOFLAGS"), "-x");
  });

  it("has no other defaults than the release's own file, so that it must follow ours", () => {
    assert.equal(ask(goEnvFile({ GOTOOLCHAIN: "local" }), "GOPROXY"), "");
  });

  it("does not read GODEBUG there, which is why it is refused", () => {
    assert.doesNotMatch(ask("GODEBUG=gctrace=1\n", "GODEBUG"), /gctrace/);
  });
});
