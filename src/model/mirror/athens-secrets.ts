import { lineEnded } from "../line-ended";
import type { ResolvedAthens } from "./athens";

/** A secret file of Athens: its name among the component's secrets, and as the unit sees it. */
export interface AthensSecret {
  readonly name: string;
  /** File name below `$CREDENTIALS_DIRECTORY`. */
  readonly credential: string;
}

const ENVIRONMENT: AthensSecret = { name: "athens.env", credential: "athens.env" };
const NETRC: AthensSecret = { name: "athens-netrc", credential: "netrc" };
// Athens copies it to the home directory under the name it has.
const HGRC: AthensSecret = { name: "athens-hgrc", credential: ".hgrc" };
const SSH_KEY: AthensSecret = { name: "athens-ssh-key", credential: "ssh-key" };

/** Which secret files there are; only the structure of the settings counts. */
export function athensSecretFiles(athens: ResolvedAthens<unknown>): AthensSecret[] {
  const { netrc, hgrc, ssh } = athens.private;
  return [
    ...(Object.keys(secretVariables(athens)).length > 0 ? [ENVIRONMENT] : []),
    ...(netrc === undefined ? [] : [NETRC]),
    ...(hgrc === undefined ? [] : [HGRC]),
    ...(ssh === undefined ? [] : [SSH_KEY]),
  ];
}

/** Secret files besides the one of variables, by name. */
export function secretTexts({ private: { netrc, hgrc, ssh } }: ResolvedAthens): Record<string, string> {
  return defined({
    [NETRC.name]: netrc && lineEnded(netrc),
    [HGRC.name]: hgrc && lineEnded(hgrc),
    [SSH_KEY.name]: ssh && lineEnded(ssh.key),
  });
}

export const ENVIRONMENT_SECRET = ENVIRONMENT.name;

/** Variables whose values no file may show, or that Athens takes from nowhere else. */
export function secretVariables<Value>(athens: ResolvedAthens<Value>): Record<string, Value | string> {
  return defined({
    ...storageVariables(athens.storage),
    ...flightVariables(athens.singleFlight),
    ...indexVariables(athens.index),
    ...egressVariables(athens.egress),
    ATHENS_GITHUB_TOKEN: athens.private.githubToken,
    ...athens.variables,
  });
}

function storageVariables<Value>(storage: ResolvedAthens<Value>["storage"]): Record<string, Value | undefined> {
  switch (storage.kind) {
    case "s3": {
      const { credentials } = storage;
      if (credentials?.kind !== "static") return {};
      return {
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: credentials.sessionToken,
      };
    }
    case "azureblob":
      return storage.credentials.kind === "accountKey"
        ? { ATHENS_AZURE_ACCOUNT_KEY: storage.credentials.accountKey }
        : {};
    case "gcp":
      return { ATHENS_STORAGE_GCP_JSON_KEY: storage.jsonKey };
    case "minio":
      return {
        ATHENS_MINIO_ACCESS_KEY_ID: storage.accessKeyId,
        ATHENS_MINIO_SECRET_ACCESS_KEY: storage.secretAccessKey,
      };
    case "mongo":
      // No secrets, but Athens takes its own defaults over what its file says of these two.
      return {
        ATHENS_MONGO_DEFAULT_COLLECTION: storage.collection,
        ATHENS_MONGO_DEFAULT_DATABASE: storage.database,
        ATHENS_MONGO_STORAGE_URL: storage.url,
      };
    case "external":
      return { ATHENS_EXTERNAL_STORAGE_URL: storage.url };
    case "disk":
    case "memory":
      return {};
  }
}

function flightVariables<Value>(flight: ResolvedAthens<Value>["singleFlight"]): Record<string, Value | undefined> {
  if (flight.kind === "redis") return { ATHENS_REDIS_PASSWORD: flight.password };
  if (flight.kind !== "redis-sentinel") return {};
  return {
    ATHENS_REDIS_PASSWORD: flight.password,
    ATHENS_REDIS_SENTINEL_PASSWORD: flight.sentinelPassword,
    ATHENS_REDIS_USERNAME: flight.username,
  };
}

function indexVariables<Value>(index: ResolvedAthens<Value>["index"]): Record<string, Value | undefined> {
  if (index.kind === "mysql") return { ATHENS_INDEX_MYSQL_PASSWORD: index.password };
  return index.kind === "postgres" ? { ATHENS_INDEX_POSTGRES_PASSWORD: index.password } : {};
}

/** In both spellings: git reads the small one. */
function egressVariables<Value>(egress: ResolvedAthens<Value>["egress"]): Record<string, Value | string | undefined> {
  if (egress === undefined) return {};
  const { proxy, except } = egress;
  const none = except?.join(",");
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: none,
    no_proxy: none,
  };
}

function defined<Value>(map: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, Value] => entry[1] !== undefined && entry[1] !== ""),
  );
}
