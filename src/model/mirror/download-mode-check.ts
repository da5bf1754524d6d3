import { at, isFields, type Fields } from "../check";
import { issue, type Issue } from "../issues";
import { DOWNLOAD_MODES, isRedirect } from "./download-mode";
import { checkFields, oneOf, required, url, type ValueCheck } from "../field-checks";

const proxyUrl = url('a module proxy\'s base URL, such as "https://proxy.corp.example"', ({ search, hash }) => {
  return search + hash === "";
});

/**
 * A pattern as Athens matches it: what never matches is refused, for Athens takes a bad pattern without a word.
 */
const modulePattern: ValueCheck = (path, given) => {
  const refuse = (wanted: string) => [issue(path, given, wanted)];
  if (typeof given !== "string" || given === "") return refuse('a module path pattern such as "github.com/acme/*"');
  if (given.includes(",")) return refuse("one pattern for each entry");
  if (given.includes("!")) return refuse("the module's own spelling: Athens matches decoded paths, without !");
  if (given.includes("@")) return refuse("a module path without a version");
  if (/^[a-z]+:\/\//i.test(given)) return refuse(`a module path, not a URL: "${given.replace(/^[a-z]+:\/\//i, "")}"`);
  if (!/^[A-Za-z0-9._~*/-]+$/.test(given)) return refuse("letters, digits, . _ ~ - / and the wildcard *");
  const bad = given.split("/").some((element) => element === "" || element === "." || element === "..");
  return bad ? refuse("a pattern without empty, . or .. elements and without a slash at either end") : [];
};

/** What is wrong with a download mode. */
export const checkDownloadMode: ValueCheck = (path, given) => {
  if (typeof given === "string") return [issue(path, given, `{ mode: ${JSON.stringify(given)} }`)];
  if (!isFields(given)) return [issue(path, given, '{ mode: "sync" } or { only: ["github.com/acme/*"] }')];
  if (given.only !== undefined) {
    return [
      ...checkPatterns(at(path, "only"), given.only),
      ...checkFields(path, { ...given, only: undefined }, { only: () => [] }),
    ];
  }
  return [
    ...checkFields(path, given, {
      mode: required(`one of ${DOWNLOAD_MODES.join(", ")}`, oneOf(...DOWNLOAD_MODES)),
      url: proxyUrl,
      rules: (here, rules) => checkRules(here, rules, given.url !== undefined),
    }),
    ...needsUrl(path, given, given.url !== undefined),
  ];
};

function checkPatterns(path: string, given: unknown): Issue[] {
  if (!Array.isArray(given) || given.length === 0) {
    return [issue(path, given, 'a list of module patterns with something in it, such as ["github.com/acme/*"]')];
  }
  return given.flatMap((pattern: unknown, index) => [
    ...modulePattern(at(path, index), pattern),
    ...(given.indexOf(pattern) < index ? [issue(at(path, index), pattern, "each pattern once")] : []),
  ]);
}

function checkRules(path: string, given: unknown, hasUrl: boolean): Issue[] {
  if (!Array.isArray(given))
    return [issue(path, given, 'a list such as [{ modules: "github.com/acme/*", mode: "sync" }]')];
  const patterns = given.map((rule: unknown) => (isFields(rule) ? rule.modules : undefined));
  return given.flatMap((rule: unknown, index) => {
    const here = at(path, index);
    const earlier = patterns.slice(0, index);
    const shadow = earlier.find((pattern) => pattern === "*" || pattern === patterns[index]);
    return [
      ...checkFields(here, rule, {
        modules: required('a module path pattern such as "github.com/acme/*"', modulePattern),
        mode: required(`one of ${DOWNLOAD_MODES.join(", ")}`, oneOf(...DOWNLOAD_MODES)),
        url: proxyUrl,
      }),
      ...(isFields(rule) ? needsUrl(here, rule, hasUrl) : []),
      ...(shadow === undefined || typeof patterns[index] !== "string"
        ? []
        : [
            issue(
              at(here, "modules"),
              patterns[index],
              `a rule before ${JSON.stringify(shadow)}: the first match counts`,
            ),
          ]),
    ];
  });
}

/** Without a URL Athens would redirect a request to itself, over and over. */
function needsUrl(path: string, { mode, url: own }: Fields, hasUrl: boolean): Issue[] {
  if (isRedirect(mode))
    return own !== undefined || hasUrl ? [] : [issue(at(path, "url"), undefined, `where ${mode} goes`)];
  return own !== undefined && path.endsWith("]")
    ? [issue(at(path, "url"), own, `no url: ${JSON.stringify(mode)} does not redirect`)]
    : [];
}
