import { at, isFields } from "../check";
import { hiddenIssue, issue, type Issue } from "../issues";
import { parsePath } from "../names";
import { parseDuration, parseSize } from "../units";
import {
  byKind,
  checkFields,
  flag,
  hidden,
  hostPort,
  line,
  listOf,
  matching,
  oneOf,
  parsed,
  required,
  secretLine,
  secretUrl,
  url,
  whole,
  type FieldSpecs,
  type ValueCheck,
} from "../field-checks";

type IsUnknown = (value: unknown) => boolean;

const bucket = required("the bucket's name");

/** A storage by its kind. */
export function checkStorage(isUnknown: IsUnknown): ValueCheck {
  const s3Credentials = byKind(
    {
      default: {},
      static: {
        accessKeyId: required("an access key id", secretLine),
        secretAccessKey: required("a secret access key", secretLine),
        sessionToken: secretLine,
      },
      endpoint: {
        url: url('an address such as "http://169.254.170.2"'),
        path: required("the path of the credentials", matching(/^\/\S*$/, 'a path that begins with "/"')),
      },
    },
    isUnknown,
  );
  const azureCredentials = byKind(
    {
      accountKey: { accountKey: required("the account's key", base64) },
      managedIdentity: {
        resourceId: required("the identity's resource id"),
        scope: required('a scope such as "https://storage.azure.com/.default"'),
      },
    },
    isUnknown,
  );
  return byKind(
    {
      disk: {
        path: required('a directory such as "/srv/athens"', parsed(parsePath)),
        max: required('what it may hold, such as "200 GiB"', parsed(parseSize)),
      },
      s3: {
        region: required('a region such as "eu-central-1"'),
        bucket,
        credentials: s3Credentials,
        endpoint: url('the service\'s URL, such as "https://s3.corp.example"'),
        pathStyle: flag,
      },
      azureblob: {
        account: required("the storage account", matching(/^[a-z0-9]{3,24}$/, "3 to 24 lower-case letters and digits")),
        container: required("the container's name"),
        credentials: required("{ kind: accountKey or managedIdentity, … }", azureCredentials),
      },
      gcp: { bucket, project: line("a project id"), jsonKey: json },
      minio: {
        endpoint: required('"host:port"', hostPort),
        bucket,
        accessKeyId: required("an access key id", secretLine),
        secretAccessKey: required("a secret access key", secretLine),
        region: line("a region"),
        tls: flag,
      },
      mongo: {
        url: required(
          "a mongodb:// URL",
          hidden("a mongodb:// or mongodb+srv:// URL", (text) => /^mongodb(\+srv)?:\/\/\S+$/.test(text)),
        ),
        database: line("a database's name"),
        collection: line("a collection's name"),
      },
      external: { url: required("the storage's URL", secretUrl("http:", "https:")) },
      memory: { purpose: required('"trial": it keeps nothing over a restart', oneOf("trial")) },
    },
    isUnknown,
  );
}

const base64 = hidden("the account's key, base64", (text) => /^[A-Za-z0-9+/]+={0,2}$/.test(text));

const json = hidden("the JSON of a key, with a type", (text) => {
  try {
    const key: unknown = JSON.parse(text);
    return isFields(key) && typeof key.type === "string";
  } catch {
    return false;
  }
});

/** A single flight by its kind, as far as it goes alone. */
export function checkSingleFlight(isUnknown: IsUnknown): ValueCheck {
  const lock: ValueCheck = (path, given) =>
    checkFields(path, given, { ttl: aboveZero, timeout: aboveZero, maxRetries: whole(1, 1000) }, isUnknown);
  return byKind(
    {
      memory: {},
      etcd: { endpoints: required('a list of "host:port"', listOf(hostPort, '"host:port"', isUnknown)) },
      redis: {
        endpoints: required('a list of "host:port"', listOf(redisEndpoint, "redis endpoints", isUnknown)),
        password: secretLine,
        cluster: flag,
        lock,
      },
      "redis-sentinel": {
        endpoints: required('a list of "host:port"', listOf(hostPort, '"host:port"', isUnknown)),
        masterName: required("the master's name"),
        sentinelPassword: sentinelPassword,
        username: secretLine,
        password: secretLine,
        database: whole(0, 1_000_000),
        lock,
      },
      gcp: { staleThreshold: aboveZero },
      azureblob: {},
    },
    isUnknown,
  );
}

/** Athens' own default, in every copy of it. */
const sentinelPassword = hidden("the sentinels' own password: Athens' default is known to everybody", (text) => {
  return text !== "" && text !== "sekret";
});

const redisEndpoint: ValueCheck = (path, given) => {
  if (typeof given === "string" && /^rediss?:\/\//.test(given)) {
    const { username, password } = URL.canParse(given) ? new URL(given) : { username: "", password: "" };
    if (username + password === "") return URL.canParse(given) ? [] : [issue(path, given, "a redis:// URL")];
    return [hiddenIssue(path, "a URL with a password", 'the password in "password": this is not secret')];
  }
  return hostPort(path, given);
};

/** Seconds, since Athens counts in whole ones; 0 would end everything at once. */
export const aboveZero: ValueCheck = (path, given) => {
  const { value, issue: bad } = parseDuration(path, given);
  if (bad) return [bad];
  return Number.isInteger(value) && value > 0 ? [] : [issue(path, given, "at least 1 s, in whole seconds")];
};

/** An index by its kind. */
export function checkIndex(isUnknown: IsUnknown): ValueCheck {
  const database: FieldSpecs = {
    host: required("a host name or address"),
    port: whole(1, 65535),
    user: required("a user's name"),
    database: required("a database's name"),
  };
  const params = (other: Readonly<Record<string, string>>): ValueCheck => {
    return (path, given) => checkParams(path, given, other, isUnknown);
  };
  return byKind(
    {
      none: {},
      memory: {},
      mysql: {
        ...database,
        password: secretLine,
        tls: oneOf("true", "preferred", "skip-verify", "false"),
        params: params({ tls: "tls", parseTime: "no parseTime: Athens needs it to be true" }),
      },
      postgres: {
        ...database,
        password: postgresWord,
        sslMode: oneOf("verify-full", "verify-ca", "require", "disable"),
        params: params({ sslmode: "sslMode" }),
      },
    },
    isUnknown,
  );
}

/** Athens joins the parts of its connection string with spaces and quotes none of them. */
const postgresWord = hidden(
  "a password without white space, quotes and backslashes: Athens does not quote it",
  (text) => {
    return /^[^\s'"\\]+$/.test(text);
  },
);

function checkParams(
  path: string,
  given: unknown,
  elsewhere: Readonly<Record<string, string>>,
  isUnknown: IsUnknown,
): Issue[] {
  if (!isFields(given)) return [issue(path, given, "parameters of the driver by name")];
  return Object.entries(given).flatMap(([key, value]) => {
    const here = at(path, key);
    if (Object.hasOwn(elsewhere, key)) return [issue(here, value, elsewhere[key] ?? "")];
    if (value === undefined || isUnknown(value)) return [];
    return matching(/^[^\s'"\\]*$/, "text without white space, quotes and backslashes")(here, value);
  });
}
