import { documents } from "../read/documents";
import { objects, texts } from "../read/walk";
import { rule, type PolicyResource, type Violation } from "../rule";

/** Shapes of secrets that cannot be taken for anything else, by the word a violation calls them. */
const SHAPES: readonly (readonly [string, RegExp])[] = [
  ["a private key", /-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----/],
  ["a netrc password", /(^|\s)(machine\s+\S+|default)\s+login\s+\S+\s+password\s+\S/],
  ["a GitHub token", /\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})/],
  ["a GitLab token", /\bgl(pat|rt|dt|cbt|ptt|soat)-[A-Za-z0-9_-]{20,}/],
  ["an AWS access key", /\b(AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["an Azure storage key", /\bAccountKey=[A-Za-z0-9+/]{40,}/],
  ["a Google API key", /\bAIza[A-Za-z0-9_-]{35}\b/],
  ["a Google service account's key", /"private_key"\s*:\s*"[^"]{20,}/],
  ["a Slack token", /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/],
  ["an npm token", /\bnpm_[A-Za-z0-9]{36}\b/],
  ["a JSON web token", /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/],
  ["a password in a URL", /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"'<>]*:(?![${<*])[^\s/@"'<>]+@/i],
  ["credentials of a request", /\bauthorization:\s*(basic|bearer)\s+(?![${<])[A-Za-z0-9+/_.~=-]{8,}/i],
];

/** Inputs whose name says what they hold. */
const NAMED =
  /^(password|passphrase|passwd|token|apiKey|accessToken|authToken|privateKey|secretKey|secretString|clientSecret)$/;

/** The same in the names of environment variables. */
const VARIABLE = /(^|_)(PASSWORD|PASSPHRASE|PASSWD|TOKEN|API_KEY|APIKEY|PRIVATE_KEY|SECRET|SECRET_KEY|ACCESS_KEY)$/;

/** Secrets that a state file, a preview or a host's file would show to everybody. */
export const plainSecrets = rule({
  name: "no-plain-secrets",
  description: "Keys, tokens and passwords are secrets of the stack, never plain inputs or text of files.",
  level: "mandatory",
  severity: "critical",
  remediation:
    "Set it by `pulumi config set --secret` and read it by config.requireSecret(); on hosts hand it to units by name " +
    "(LoadCredential=), in Kubernetes by secretKeyRef. Then replace it: it has been in the state and in every preview.",
  defaults: { names: [] as readonly string[] },
  settings: {
    names: { type: "array", items: { type: "string" }, description: "More names of inputs that hold secrets." },
  },
  readsSecrets: true,
  check: (resource, { names }) => [...shaped(resource), ...named(resource, names)],
});

function shaped(resource: PolicyResource): Violation[] {
  return documents(resource.props).flatMap(({ path, text }) => {
    if (isKept(resource, path)) return [];
    const what = SHAPES.find(([, shape]) => shape.test(text))?.[0];
    return what === undefined ? [] : [plain(path, what)];
  });
}

function named(resource: PolicyResource, more: readonly string[]): Violation[] {
  // Without the engine's word a secret input looks as any other, so its name alone says nothing.
  if (resource.secrets === undefined) return [];
  const holds = (name: unknown): boolean =>
    typeof name === "string" && (NAMED.test(name) || VARIABLE.test(name) || more.includes(name));
  const inputs = texts(resource.props).filter(({ key }) => holds(key));
  const variables = objects(resource.props).flatMap(({ path, fields: { name, value } }) =>
    holds(name) && typeof value === "string" ? [{ path: `${path}.value`, text: value }] : [],
  );
  return [...inputs, ...variables]
    .filter(({ path, text }) => text !== "" && !isReference(text) && !isKept(resource, path))
    .map(({ path }) => plain(path, "a value"));
}

/** Names of a secret elsewhere, and texts a shell or a template fills in. */
function isReference(text: string): boolean {
  return /^(arn:|projects\/|https:\/\/[\w-]+\.vault\.azure\.net\/|op:\/\/|vault:|\$\{|\$[A-Z(]|\{\{|<)/.test(text);
}

function isKept({ secrets, type }: PolicyResource, path: string): boolean {
  // The provider makes these secret itself.
  if (/^kubernetes:core\/v1:Secret$/.test(type) && /^(data|stringData)(\.|\[|$)/.test(path)) return true;
  return [...(secrets ?? [])].some(
    (secret) => path === secret || (/^[.[]/.test(path.slice(secret.length)) && path.startsWith(secret)),
  );
}

function plain(path: string, what: string): Violation {
  return { path, given: `${what} in clear (not shown)`, wanted: "a secret of the stack", subject: `${what} ${path}` };
}
