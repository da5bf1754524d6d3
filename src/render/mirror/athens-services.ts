import { seconds, type ResolvedAthens } from "../../model/mirror/athens";
import type { RedisLock } from "../../model/mirror/athens-services";
import type { TomlTable } from "../toml";

/** The address where containers of Amazon get credentials: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html. */
const CONTAINER_CREDENTIALS = "http://169.254.170.2";

/** `[Storage.…]`, without what is secret. */
export function storageTable(storage: ResolvedAthens["storage"]): TomlTable | undefined {
  switch (storage.kind) {
    case "disk":
      return { Disk: { RootPath: storage.path } };
    case "s3": {
      const { credentials = { kind: "default" } } = storage;
      const endpoint = credentials.kind === "endpoint" ? credentials : undefined;
      return {
        S3: {
          Region: storage.region,
          Bucket: storage.bucket,
          Endpoint: storage.endpoint,
          ForcePathStyle: storage.pathStyle ?? false,
          UseDefaultConfiguration: credentials.kind === "default",
          CredentialsEndpoint: endpoint && (endpoint.url ?? CONTAINER_CREDENTIALS),
          AwsContainerCredentialsRelativeURI: endpoint?.path,
        },
      };
    }
    case "azureblob": {
      const { account, container, credentials } = storage;
      const identity = credentials.kind === "managedIdentity" ? credentials : undefined;
      return {
        AzureBlob: {
          AccountName: account,
          ContainerName: container,
          ManagedIdentityResourceID: identity?.resourceId,
          CredentialScope: identity?.scope,
        },
      };
    }
    case "gcp":
      return { GCP: { Bucket: storage.bucket, ProjectID: storage.project } };
    case "minio": {
      const { endpoint, bucket, region, tls = true } = storage;
      return { Minio: { Endpoint: endpoint, Bucket: bucket, Region: region, EnableSSL: tls } };
    }
    case "mongo":
    case "external":
    case "memory":
      return undefined;
  }
}

/** `[SingleFlight.…]`, without what is secret. */
export function flightTable(flight: ResolvedAthens["singleFlight"]): TomlTable | undefined {
  switch (flight.kind) {
    case "memory":
    case "azureblob":
      return undefined;
    case "etcd":
      return { Etcd: { Endpoints: flight.endpoints.join(",") } };
    case "redis": {
      const { endpoints, cluster = false, lock } = flight;
      return { Redis: { Endpoint: endpoints.join(","), Cluster: cluster, LockConfig: lockTable(lock) } };
    }
    case "redis-sentinel": {
      const { endpoints, masterName, database = 0, lock } = flight;
      // Left out, Athens would send a password of its own.
      const none = { SentinelPassword: "" };
      return {
        RedisSentinel: {
          Endpoints: endpoints,
          MasterName: masterName,
          DB: database,
          ...none,
          LockConfig: lockTable(lock),
        },
      };
    }
    case "gcp":
      return { GCP: { StaleThreshold: seconds(flight.staleThreshold, 120) } };
  }
}

function lockTable({ ttl, timeout, maxRetries }: RedisLock = {}): TomlTable {
  return { TTL: seconds(ttl, 900), Timeout: seconds(timeout, 15), MaxRetries: maxRetries ?? 10 };
}

/** `[Index.…]`, without what is secret. Parameters are added to Athens' own, so those that protect are always there. */
export function indexTable(index: ResolvedAthens["index"]): TomlTable | undefined {
  switch (index.kind) {
    case "none":
    case "memory":
      return undefined;
    case "mysql": {
      const { host, port = 3306, user, database, tls = "true", params } = index;
      const Params = { ...params, parseTime: "true", tls };
      return { MySQL: { Host: host, Port: port, Protocol: "tcp", User: user, Database: database, Params } };
    }
    case "postgres": {
      const { host, port = 5432, user, database, sslMode = "verify-full", params } = index;
      const Params = { ...params, sslmode: sslMode };
      return { Postgres: { Host: host, Port: port, User: user, Database: database, Params } };
    }
  }
}
