/** Where an argument is a secret: paths from the settings' root, `*` for any key. */
const SECRETS = [
  "private.netrc",
  "private.githubToken",
  "private.hgrc",
  "private.ssh.key",
  "storage.credentials.accessKeyId",
  "storage.credentials.secretAccessKey",
  "storage.credentials.sessionToken",
  "storage.credentials.accountKey",
  "storage.accessKeyId",
  "storage.secretAccessKey",
  "storage.jsonKey",
  "storage.url",
  "singleFlight.password",
  "singleFlight.sentinelPassword",
  "singleFlight.username",
  "index.password",
  "egress.proxy",
  "variables.*",
].map((path) => path.split("."));

/** Stands where a secret is: whether there is one counts, not what it says. */
const SET = "(a secret)";

export function isSecretPlace(value: unknown): boolean {
  return value === SET;
}

/**
 * Athens' settings, as given or resolved, without their secrets: what the rendered files are made of. So a file can
 * neither hold a secret nor be taken for one because a secret is part of the same settings.
 */
export function withoutSecrets<Settings extends object>(athens: Settings): Settings {
  return replaced(athens, SECRETS) as Settings;
}

function replaced(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (value === undefined || paths.length === 0) return value;
  if (paths.some((path) => path.length === 0)) return SET;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      const below = paths.filter(([first]) => first === key || first === "*").map((path) => path.slice(1));
      return [key, replaced(each, below)];
    }),
  );
}
