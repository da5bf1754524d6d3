/**
 * A certificate that the host gets for itself from an ACME server (RFC 8555), and renews when a third of its time is
 * left. Its key is made on the host and never leaves it.
 */
export interface FrontAcme<Value = string> {
  /** You have read the terms of service of the ACME server and accept them. Nothing is asked of it without. */
  readonly acceptTerms: true;
  /**
   * URL of the server's directory: another public CA's, its staging server's, or one of your own such as step-ca.
   * @default Let's Encrypt's for production
   */
  readonly directory?: string;
  /**
   * Where the server can tell you of trouble; told when the account is made.
   * @default none
   */
  readonly email?: string;
  /**
   * How the host proves that the domain is its own. `http-01`: nginx answers on port 80, which the ACME server must
   * reach.
   * @default "http-01"
   */
  readonly challenge?: "http-01";
  /**
   * The private ACME server's CA (PEM): its own TLS must be signed by it, and clients trust it for the mirror. Several
   * certificates where those are two CAs.
   * @default the public CAs that the host and its clients know
   */
  readonly ca?: Value;
  /**
   * `ecdsa` is P-256; `rsa`, 2048 bits, costs the server twice as much for each new connection.
   * @default "ecdsa"
   */
  readonly keyType?: "ecdsa" | "rsa";
  /**
   * Whether destroy leaves account, certificate and key on the host, for the next mirror of that name.
   * @default false
   */
  readonly keep?: boolean;
}

/** {@link FrontAcme} with every default in place; of its CA only whether there is one. */
export interface Acme {
  readonly directory: string;
  readonly email: string | undefined;
  readonly keyType: "ecdsa" | "rsa";
  readonly ca: boolean;
  readonly keep: boolean;
}

/** See https://letsencrypt.org/docs/client-options/ and https://letsencrypt.org/docs/rate-limits/. */
const ACME_DEFAULTS = {
  directory: "https://acme-v02.api.letsencrypt.org/directory",
  keyType: "ecdsa",
  keep: false,
} as const;

/** Where ACME servers ask for the answer to `http-01`: RFC 8555, section 8.3. */
export const CHALLENGE_PORT = 80;

export function resolveAcme(args: FrontAcme<unknown>): Acme {
  return {
    directory: args.directory ?? ACME_DEFAULTS.directory,
    email: args.email,
    keyType: args.keyType ?? ACME_DEFAULTS.keyType,
    ca: args.ca !== undefined,
    keep: args.keep ?? ACME_DEFAULTS.keep,
  };
}
