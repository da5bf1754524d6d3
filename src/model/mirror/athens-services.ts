import type { AbsolutePath } from "../names";
import type { Duration, Size } from "../units";

/**
 * Where Athens keeps modules. `Value` is the type of content: `string`, or an `Input<string>` in a program.
 * See https://docs.gomods.io/configuration/storage/.
 */
export type AthensStorage<Value = string> =
  | DiskStorage
  | S3Storage<Value>
  | AzureBlobStorage<Value>
  | GcpStorage<Value>
  | MinioStorage<Value>
  | MongoStorage<Value>
  | ExternalStorage<Value>
  | MemoryStorage;

/** A directory of one host; nginx serves complete versions straight from it. */
export interface DiskStorage {
  readonly kind: "disk";
  /** The store and what is being fetched; a file system of its own is best. */
  readonly path: AbsolutePath;
  /** What it may hold: the keeper's watermarks are shares of it. */
  readonly max: Size | string;
}

/** Amazon S3, or what speaks its protocol. */
export interface S3Storage<Value = string> {
  readonly kind: "s3";
  /** Such as `eu-central-1`. */
  readonly region: Value;
  /** The bucket's name. */
  readonly bucket: Value;
  /**
   * `default`: what the AWS SDK finds (instance role, web identity); `static`: keys; `endpoint`: an address that gives
   * temporary keys.
   * @default { kind: "default" }
   */
  readonly credentials?: S3Credentials<Value>;
  /**
   * Another service's address, such as `https://s3.corp.example`.
   * @default Amazon's for the region
   */
  readonly endpoint?: Value;
  /**
   * The bucket in the path instead of the host name.
   * @default false
   */
  readonly pathStyle?: boolean;
}

/** How Athens proves to S3 who it is; keys and tokens are secrets. */
export type S3Credentials<Value = string> =
  | { readonly kind: "default" }
  | {
      readonly kind: "static";
      readonly accessKeyId: Value;
      readonly secretAccessKey: Value;
      readonly sessionToken?: Value;
    }
  | {
      readonly kind: "endpoint";
      /** @default the containers' own, http://169.254.170.2 */
      readonly url?: Value;
      /** The path below it, as in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI. */
      readonly path: Value;
    };

/** Azure Blob Storage; the container must exist. */
export interface AzureBlobStorage<Value = string> {
  readonly kind: "azureblob";
  /** The storage account's name. */
  readonly account: Value;
  /** The container's name. */
  readonly container: Value;
  /** The account's key, a secret, or a managed identity of the machine. */
  readonly credentials:
    | { readonly kind: "accountKey"; readonly accountKey: Value }
    | {
        readonly kind: "managedIdentity";
        /** Resource id of the identity. */
        readonly resourceId: Value;
        /** Such as `https://storage.azure.com/.default`. */
        readonly scope: Value;
      };
}

/** Google Cloud Storage; the bucket must exist. */
export interface GcpStorage<Value = string> {
  readonly kind: "gcp";
  /** The bucket's name. */
  readonly bucket: Value;
  /**
   * The Google Cloud project.
   * @default the one of the credentials
   */
  readonly project?: Value;
  /**
   * The JSON of a key or of an external account, as Google gives it.
   * @default what Google's library finds on the machine
   */
  readonly jsonKey?: Value;
}

/** MinIO, by its own client; Athens makes the bucket where it is missing. */
export interface MinioStorage<Value = string> {
  readonly kind: "minio";
  /** `host:port`, without a scheme. */
  readonly endpoint: Value;
  /** The bucket's name. */
  readonly bucket: Value;
  /** The name of the key. */
  readonly accessKeyId: Value;
  /** A secret. */
  readonly secretAccessKey: Value;
  /**
   * The server's region.
   * @default none
   */
  readonly region?: Value;
  /**
   * Whether to speak TLS. Athens' own default is not to.
   * @default true
   */
  readonly tls?: boolean;
}

/** MongoDB. A CA of your own goes into the URL: `tlsCAFile=/etc/ssl/…`. */
export interface MongoStorage<Value = string> {
  readonly kind: "mongo";
  /** With user and password; a secret. */
  readonly url: Value;
  /**
   * The database's name.
   * @default "athens"
   */
  readonly database?: Value;
  /**
   * The collection's name.
   * @default "modules"
   */
  readonly collection?: Value;
}

/** A server of your own that speaks Athens' storage protocol. See https://docs.gomods.io/configuration/storage/. */
export interface ExternalStorage<Value = string> {
  readonly kind: "external";
  /** A secret, for it may hold user and password. */
  readonly url: Value;
}

/** Nothing is kept over a restart, and every module stays in memory: to try things out. */
export interface MemoryStorage {
  readonly kind: "memory";
  /** Says that this is meant. */
  readonly purpose: "trial";
}

/**
 * How hosts that share a store agree who fetches a version. `memory` is for one host.
 * See https://docs.gomods.io/configuration/storage/#running-multiple-athens-pointed-at-the-same-storage.
 */
export type AthensSingleFlight<Value = string> =
  | { readonly kind: "memory" }
  | {
      readonly kind: "etcd";
      /** `host:port`; Athens speaks neither TLS nor passwords to etcd. */
      readonly endpoints: readonly Value[];
    }
  | RedisFlight<Value>
  | RedisSentinelFlight<Value>
  | {
      /** Only with storage `gcp`. */
      readonly kind: "gcp";
      /** @default "120 s" */
      readonly staleThreshold?: Duration | string;
    }
  | {
      /** Only with storage `azureblob`. Athens gives up on a fetch after 10 minutes here. */
      readonly kind: "azureblob";
    };

/** The lock of one fetch. */
export interface RedisLock {
  /**
   * How long a lock lasts without its holder: more than `timeouts.stash`, or a second host begins the same fetch.
   * @default "900 s"
   */
  readonly ttl?: Duration | string;
  /**
   * How long to wait for a lock.
   * @default "15 s"
   */
  readonly timeout?: Duration | string;
  /**
   * Tries within that time, a second or more apart.
   * @default 10
   */
  readonly maxRetries?: number;
}

/** A Redis server or cluster. */
export interface RedisFlight<Value = string> {
  readonly kind: "redis";
  /** `host:port`, or `redis://…` and `rediss://…` (TLS) without a password; several for a cluster. */
  readonly endpoints: readonly Value[];
  /**
   * A secret.
   * @default none
   */
  readonly password?: Value;
  /**
   * Redis Cluster instead of one server.
   * @default false
   */
  readonly cluster?: boolean;
  /**
   * How long locks last.
   * @default see `RedisLock`
   */
  readonly lock?: RedisLock;
}

/** A Redis server that sentinels name. */
export interface RedisSentinelFlight<Value = string> {
  readonly kind: "redis-sentinel";
  /** The sentinels, `host:port`. */
  readonly endpoints: readonly Value[];
  /** The name by which the sentinels know the server. */
  readonly masterName: Value;
  /** Of the sentinels. Athens' own default is a real word, which is never sent from here. */
  readonly sentinelPassword?: Value;
  /**
   * Of the server.
   * @default none
   */
  readonly username?: Value;
  /**
   * Of the server; a secret.
   * @default none
   */
  readonly password?: Value;
  /**
   * Number of the server's database.
   * @default 0
   */
  readonly database?: number;
  /**
   * How long locks last.
   * @default see `RedisLock`
   */
  readonly lock?: RedisLock;
}

/** What `/index` lists; the front keeps it from clients. See https://docs.gomods.io/configuration/. */
export type AthensIndex<Value = string> =
  { readonly kind: "none" } | { readonly kind: "memory" } | MysqlIndex<Value> | PostgresIndex<Value>;

/** An index in MySQL. */
export interface MysqlIndex<Value = string> {
  readonly kind: "mysql";
  /** The server's name or address. */
  readonly host: Value;
  /**
   * The server's port.
   * @default 3306
   */
  readonly port?: number;
  /** Who Athens logs in as. */
  readonly user: Value;
  /**
   * A secret.
   * @default none
   */
  readonly password?: Value;
  /** The database's name. */
  readonly database: Value;
  /**
   * The connection's encryption, in the driver's words; `false` sends everything in the clear.
   * @default "true": TLS with a checked certificate
   * @see https://github.com/go-sql-driver/mysql#tls
   */
  readonly tls?: "true" | "preferred" | "skip-verify" | "false";
  /** More parameters of the driver. */
  readonly params?: Readonly<Record<string, Value>>;
}

/** An index in PostgreSQL. */
export interface PostgresIndex<Value = string> {
  readonly kind: "postgres";
  /** The server's name or address. */
  readonly host: Value;
  /**
   * The server's port.
   * @default 5432
   */
  readonly port?: number;
  /** Who Athens logs in as. */
  readonly user: Value;
  /**
   * A secret.
   * @default none
   */
  readonly password?: Value;
  /** The database's name. */
  readonly database: Value;
  /**
   * The connection's encryption, in libpq's words. Athens' own default is `disable`.
   * @default "verify-full"
   * @see https://www.postgresql.org/docs/current/libpq-ssl.html
   */
  readonly sslMode?: "verify-full" | "verify-ca" | "require" | "disable";
  /** More parameters of the driver. */
  readonly params?: Readonly<Record<string, Value>>;
}
