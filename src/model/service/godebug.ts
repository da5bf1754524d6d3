import { at, didYouMean, type Fields } from "../check";
import { issue, type Issue } from "../issues";

/**
 * Keys of GODEBUG up to Go 1.26: the settings of internal/godebugs, and the runtime's own. See
 * https://go.dev/doc/godebug and https://pkg.go.dev/runtime#hdr-Environment_Variables.
 */
export const GODEBUG_KEYS: readonly string[] = [
  ...["allowmultiplevcs", "asynctimerchan", "containermaxprocs", "cryptocustomrand", "dataindependenttiming"],
  ...["decoratemappings", "embedfollowsymlinks", "execerrdot", "fips140", "fips140ems", "gocachehash", "gocachetest"],
  ...["gocacheverify", "gotestjsonbuildtext", "gotypesalias", "htmlmetacontenturlescape", "http2client", "http2debug"],
  ...["http2server", "httpcookiemaxnum", "httplaxcontentlength", "httpmuxgo121", "httpservecontentkeepheaders"],
  ...["installgoroot", "jstmpllitinterp", "multipartfiles", "multipartmaxheaders", "multipartmaxparts", "multipathtcp"],
  ...["netdns", "netedns0", "panicnil", "randautoseed", "randseednop", "rsa1024min", "tarinsecurepath", "tls10server"],
  ...["tls3des", "tlsmaxrsasize", "tlsmlkem", "tlsrsakex", "tlssecpmlkem", "tlssha1", "tlsunsafeekm", "updatemaxprocs"],
  ...["urlmaxqueryparams", "urlstrictcolons", "winreadlinkvolume", "winsymlink", "x509keypairleaf"],
  ...["x509negativeserial", "x509rsacrt", "x509sha1", "x509sha256skid", "x509usefallbackroots", "x509usepolicies"],
  ...["zipinsecurepath", "adaptivestackstart", "asyncpreemptoff", "cgocheck", "checkfinalizers", "clobberfree"],
  ...["cpu.all", "disablethp", "dontfreezetheworld", "efence", "gccheckmark", "gcpacertrace", "gcshrinkstackoff"],
  ...["gcstoptheworld", "gctrace", "harddecommit", "inittrace", "invalidptr", "madvdontneed", "memprofilerate"],
  ...["profstackdepth", "sbrk", "scavtrace", "scheddetail", "schedtrace", "traceadvanceperiod", "traceallocfree"],
  ...["tracebackancestors", "tracebacklabels", "tracecheckstackownership", "tracefpunwindoff"],
];

/** Keys whose value is a word; every other one is a whole number. */
const WORDS: Readonly<Record<string, RegExp>> = {
  fips140: /^(on|off|only|debug)$/,
  netdns: /^((go|cgo)(\+\d)?|\d(\+(go|cgo))?)$/,
};

/** A processor feature, such as `cpu.avx2`. */
const FEATURE = /^cpu\.[a-z0-9]+$/;

/** Checks `key=value,key=value`. Go itself passes over what it does not know, without a word. */
function checkGodebug(path: string, value: string): Issue[] {
  return value.split(",").flatMap((setting) => {
    const [, key, given] = /^([^=]+)=(.*)$/.exec(setting) ?? [];
    if (key === undefined || given === undefined) {
      return [issue(path, setting, 'settings with commas between, such as "gctrace=1,http2client=0"')];
    }
    const here = at(path, key);
    if (FEATURE.test(key)) return /^(on|off)$/.test(given) ? [] : [issue(here, given, '"on" or "off"')];
    if (!GODEBUG_KEYS.includes(key)) {
      const near = didYouMean(key, GODEBUG_KEYS, "setting of Go");
      return [issue(path, key, near.length > 100 ? "a setting of Go up to 1.26 (https://go.dev/doc/godebug)" : near)];
    }
    if ((WORDS[key] ?? /^\d+$/).test(given)) return [];
    return [issue(here, given, key in WORDS ? `a value of ${key} that Go takes` : "a whole number")];
  });
}

/** The part of an environment that GODEBUG is. */
export function godebugIssues(path: string, env: Fields): Issue[] {
  const value = env["GODEBUG"];
  return typeof value === "string" ? checkGodebug(at(path, "GODEBUG"), value) : [];
}
