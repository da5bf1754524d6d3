/**
 * Every setting that the go command reads from `go.env` in its tree. It is closed: a misspelt name would be ignored by
 * go without a word. See https://go.dev/ref/mod#environment-variables and `go help environment`.
 */
export const GO_ENV_KEYS = [
  "AR",
  "CC",
  "CGO_CFLAGS",
  "CGO_CFLAGS_ALLOW",
  "CGO_CFLAGS_DISALLOW",
  "CGO_CPPFLAGS",
  "CGO_CPPFLAGS_ALLOW",
  "CGO_CPPFLAGS_DISALLOW",
  "CGO_CXXFLAGS",
  "CGO_CXXFLAGS_ALLOW",
  "CGO_CXXFLAGS_DISALLOW",
  "CGO_ENABLED",
  "CGO_FFLAGS",
  "CGO_FFLAGS_ALLOW",
  "CGO_FFLAGS_DISALLOW",
  "CGO_LDFLAGS",
  "CGO_LDFLAGS_ALLOW",
  "CGO_LDFLAGS_DISALLOW",
  "CXX",
  "FC",
  "GCCGO",
  "GO111MODULE",
  "GO386",
  "GOAMD64",
  "GOARCH",
  "GOARM",
  "GOARM64",
  "GOAUTH",
  "GOBIN",
  "GOCACHE",
  "GOCACHEPROG",
  "GOEXPERIMENT",
  "GOFIPS140",
  "GOFLAGS",
  "GOINSECURE",
  "GOMIPS",
  "GOMIPS64",
  "GOMODCACHE",
  "GONOPROXY",
  "GONOSUMDB",
  "GOOS",
  "GOPATH",
  "GOPPC64",
  "GOPRIVATE",
  "GOPROXY",
  "GORISCV64",
  "GOSUMDB",
  "GOTMPDIR",
  "GOTOOLCHAIN",
  "GOVCS",
  "GOWASM",
  "GOWORK",
  "PKG_CONFIG",
] as const;

/** One of {@link GO_ENV_KEYS}. */
export type GoEnvKey = (typeof GO_ENV_KEYS)[number];

/** Settings of the go command for every build on the host. Values are literal: `$HOME` and `~` are not expanded. */
export type GoEnv<Value = string> = { readonly [Key in GoEnvKey]?: Value };

export function isGoEnvKey(key: string): key is GoEnvKey {
  return GO_ENV_KEYS.some((known) => known === key);
}
