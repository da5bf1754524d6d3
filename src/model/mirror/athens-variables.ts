/**
 * How a variable of Athens is reached: by a typed argument (its path in `AthensArgs`), by nothing because the mirror
 * decides it (why), or by name in `variables` (what its value must be).
 */
export type AthensReach =
  { readonly argument: string } | { readonly decided: string } | { readonly variable: RegExp; readonly wanted: string };

const FRONT = "the front is the only way in: it has the address, TLS and access";

/**
 * Every variable that Athens reads: those tagged in its source up to the release after 0.18.0, and the two that are not
 * tagged, ATHENS_TIMEOUT and PORT. See https://github.com/gomods/athens/tree/main/pkg/config.
 */
export const ATHENS_VARIABLES = {
  ATHENS_AZURE_ACCOUNT_KEY: { argument: "storage.credentials.accountKey" },
  ATHENS_AZURE_ACCOUNT_NAME: { argument: "storage.account" },
  ATHENS_AZURE_CONTAINER_NAME: { argument: "storage.container" },
  ATHENS_AZURE_CREDENTIAL_SCOPE: { argument: "storage.credentials.scope" },
  ATHENS_AZURE_MANAGED_IDENTITY_RESOURCE_ID: { argument: "storage.credentials.resourceId" },
  ATHENS_CLOUD_RUNTIME: { argument: "log.format" },
  ATHENS_DISK_STORAGE_ROOT: { argument: "storage.path" },
  ATHENS_DOWNLOAD_MODE: { argument: "downloadMode" },
  ATHENS_DOWNLOAD_URL: { argument: "downloadMode.url" },
  ATHENS_ENABLE_PPROF: { argument: "pprof" },
  ATHENS_ETCD_ENDPOINTS: { argument: "singleFlight.endpoints" },
  ATHENS_EXTERNAL_STORAGE_URL: { argument: "storage.url" },
  ATHENS_FILTER_FILE: { variable: /^\/\S+$/, wanted: "an absolute path; downloadMode is the better way" },
  ATHENS_GCP_STALE_THRESHOLD: { argument: "singleFlight.staleThreshold" },
  ATHENS_GITHUB_TOKEN: { argument: "private.githubToken" },
  ATHENS_GLOBAL_ENDPOINT: { variable: /^https?:\/\/\S+$/, wanted: "a URL; only rules of a filter file use it" },
  ATHENS_GOGET_DIR: { decided: "fetches use the store's own budget" },
  ATHENS_GOGET_WORKERS: { argument: "workers.fetch" },
  ATHENS_GONOSUM_PATTERNS: { decided: "privateModules makes the patterns" },
  ATHENS_GO_BINARY_ENV_VARS: { argument: "goEnv" },
  ATHENS_HGRC_PATH: { argument: "private.hgrc" },
  ATHENS_HOME_TEMPLATE_PATH: { argument: "homeTemplate" },
  ATHENS_INDEX_MYSQL_DATABASE: { argument: "index.database" },
  ATHENS_INDEX_MYSQL_HOST: { argument: "index.host" },
  ATHENS_INDEX_MYSQL_PARAMS: { argument: "index.params" },
  ATHENS_INDEX_MYSQL_PASSWORD: { argument: "index.password" },
  ATHENS_INDEX_MYSQL_PORT: { argument: "index.port" },
  ATHENS_INDEX_MYSQL_PROTOCOL: { decided: "it is tcp: Athens adds a port to every address" },
  ATHENS_INDEX_MYSQL_USER: { argument: "index.user" },
  ATHENS_INDEX_POSTGRES_DATABASE: { argument: "index.database" },
  ATHENS_INDEX_POSTGRES_HOST: { argument: "index.host" },
  ATHENS_INDEX_POSTGRES_PARAMS: { argument: "index.params" },
  ATHENS_INDEX_POSTGRES_PASSWORD: { argument: "index.password" },
  ATHENS_INDEX_POSTGRES_PORT: { argument: "index.port" },
  ATHENS_INDEX_POSTGRES_USER: { argument: "index.user" },
  ATHENS_INDEX_TYPE: { argument: "index.kind" },
  ATHENS_LOG_FORMAT: { argument: "log.format" },
  ATHENS_LOG_LEVEL: { argument: "log.level" },
  ATHENS_MINIO_ACCESS_KEY_ID: { argument: "storage.accessKeyId" },
  ATHENS_MINIO_BUCKET_NAME: { argument: "storage.bucket" },
  ATHENS_MINIO_ENDPOINT: { argument: "storage.endpoint" },
  ATHENS_MINIO_REGION: { argument: "storage.region" },
  ATHENS_MINIO_SECRET_ACCESS_KEY: { argument: "storage.secretAccessKey" },
  ATHENS_MINIO_USE_SSL: { argument: "storage.tls" },
  ATHENS_MONGO_CERT_PATH: {
    variable: /^\/\S+$/,
    wanted: "an absolute path; Athens 0.18.0 trusts nothing by it, tlsCAFile in storage.url does",
  },
  ATHENS_MONGO_DEFAULT_COLLECTION: { argument: "storage.collection" },
  ATHENS_MONGO_DEFAULT_DATABASE: { argument: "storage.database" },
  ATHENS_MONGO_INSECURE: {
    variable: /^(true|false)$/,
    wanted: '"true" or "false"; it counts beside a certificate path',
  },
  ATHENS_MONGO_STORAGE_URL: { argument: "storage.url" },
  ATHENS_NETRC_PATH: { argument: "private.netrc" },
  ATHENS_NETWORK_MODE: { argument: "networkMode" },
  ATHENS_PATH_PREFIX: { argument: "pathPrefix" },
  ATHENS_PORT: { decided: FRONT },
  ATHENS_PPROF_PORT: { argument: "pprof.port" },
  ATHENS_PROTOCOL_WORKERS: { argument: "workers.request" },
  ATHENS_PROXY_VALIDATOR: { argument: "validatorHook" },
  ATHENS_REDIS_CLUSTER: { argument: "singleFlight.cluster" },
  ATHENS_REDIS_ENDPOINT: { argument: "singleFlight.endpoints" },
  ATHENS_REDIS_LOCK_MAX_RETRIES: { argument: "singleFlight.lock.maxRetries" },
  ATHENS_REDIS_LOCK_TIMEOUT: { argument: "singleFlight.lock.timeout" },
  ATHENS_REDIS_LOCK_TTL: { argument: "singleFlight.lock.ttl" },
  ATHENS_REDIS_PASSWORD: { argument: "singleFlight.password" },
  ATHENS_REDIS_SENTINEL_DB: { argument: "singleFlight.database" },
  ATHENS_REDIS_SENTINEL_ENDPOINTS: { argument: "singleFlight.endpoints" },
  ATHENS_REDIS_SENTINEL_MASTER_NAME: { argument: "singleFlight.masterName" },
  ATHENS_REDIS_SENTINEL_PASSWORD: { argument: "singleFlight.sentinelPassword" },
  ATHENS_REDIS_USERNAME: { argument: "singleFlight.username" },
  ATHENS_ROBOTS_FILE: { argument: "robots" },
  ATHENS_S3_BUCKET_NAME: { argument: "storage.bucket" },
  ATHENS_SHUTDOWN_TIMEOUT: { argument: "timeouts.shutdown" },
  ATHENS_SINGLE_FLIGHT_TYPE: { argument: "singleFlight.kind" },
  ATHENS_STASH_TIMEOUT: { argument: "timeouts.stash" },
  ATHENS_STATS_EXPORTER: { argument: "stats" },
  ATHENS_STORAGE_GCP_BUCKET: { argument: "storage.bucket" },
  ATHENS_STORAGE_GCP_JSON_KEY: { argument: "storage.jsonKey" },
  ATHENS_STORAGE_TYPE: { argument: "storage.kind" },
  ATHENS_SUM_DBS: { argument: "sumDatabases" },
  ATHENS_TIMEOUT: { argument: "timeouts.external" },
  ATHENS_TLSCERT_FILE: { decided: FRONT },
  ATHENS_TLSKEY_FILE: { decided: FRONT },
  ATHENS_TRACE_EXPORTER: { argument: "tracing.exporter" },
  ATHENS_TRACE_EXPORTER_URL: { argument: "tracing.url" },
  ATHENS_TRACE_SAMPLING_FRACTION: { argument: "tracing.fraction" },
  ATHENS_UNIX_SOCKET: { decided: FRONT },
  AWS_ACCESS_KEY_ID: { argument: "storage.credentials.accessKeyId" },
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: { argument: "storage.credentials.path" },
  AWS_CREDENTIALS_ENDPOINT: { argument: "storage.credentials.url" },
  AWS_ENDPOINT: { argument: "storage.endpoint" },
  AWS_FORCE_PATH_STYLE: { argument: "storage.pathStyle" },
  AWS_REGION: { argument: "storage.region" },
  AWS_SECRET_ACCESS_KEY: { argument: "storage.credentials.secretAccessKey" },
  AWS_SESSION_TOKEN: { argument: "storage.credentials.sessionToken" },
  AWS_USE_DEFAULT_CONFIGURATION: { argument: "storage.credentials.kind" },
  BASIC_AUTH_PASS: { decided: FRONT },
  BASIC_AUTH_USER: { decided: FRONT },
  GOOGLE_CLOUD_PROJECT: { argument: "storage.project" },
  GO_BINARY_PATH: { decided: "it is the go command of the mirror's toolchain" },
  GO_ENV: { decided: "it is always production, so that Athens checks its files" },
  PORT: { decided: FRONT },
  PROXY_FORCE_SSL: { decided: FRONT },
} as const satisfies Readonly<Record<string, AthensReach>>;

/** A variable that Athens reads. */
export type AthensVariable = keyof typeof ATHENS_VARIABLES;

/** How a variable is reached; undefined for a name that Athens does not know. */
export function reachOf(name: string): AthensReach | undefined {
  return Object.hasOwn(ATHENS_VARIABLES, name) ? ATHENS_VARIABLES[name as AthensVariable] : undefined;
}
