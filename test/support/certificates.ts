import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate with its key; `certificate` is one PEM block. */
export interface Issued {
  readonly name: string;
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is to be like. */
export interface Request {
  /** Subject alternative names: `DNS:a.example`, `IP:127.0.0.1`. */
  readonly names?: readonly string[];
  readonly ca?: boolean;
  readonly days?: number;
  /** As `openssl genpkey` takes it. */
  readonly key?: readonly string[];
  readonly digest?: string;
}

export const ECDSA = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
export const RSA = (bits: number) => ["-algorithm", "RSA", "-pkeyopt", `rsa_keygen_bits:${bits}`];

/** A certificate authority of the tests' own, made by the openssl command in a temporary directory. */
export class TestAuthority {
  readonly root: Issued;
  readonly intermediate: Issued;

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
    this.root = this.issue("root", { ca: true, days: 3650 });
    this.intermediate = this.issue("intermediate", { ca: true, days: 1825 }, this.root);
  }

  /** The chain that a server serves: leaf, then intermediate. */
  chain({ certificate }: Issued): string {
    return certificate + this.intermediate.certificate;
  }

  /** A leaf of the intermediate. */
  leaf(name: string, request: Request = {}): Issued {
    return this.issue(name, { names: [`DNS:${name}`], ...request }, this.intermediate);
  }

  /** A certificate of `issuer`, or one that signs itself. */
  issue(name: string, request: Request, issuer?: Issued): Issued {
    const { names = [], ca = false, days = 90, key = ECDSA, digest = "sha256" } = request;
    const path = (suffix: string) => join(this.folder, `${name.replaceAll("*", "_")}.${suffix}`);
    openssl("genpkey", ...key, "-out", path("key"));
    const extensions = [
      `basicConstraints=critical,CA:${ca ? "TRUE" : "FALSE"}`,
      ca ? "keyUsage=critical,keyCertSign,cRLSign" : "keyUsage=critical,digitalSignature,keyEncipherment",
      ...(ca ? [] : ["extendedKeyUsage=serverAuth,clientAuth"]),
      ...(names.length > 0 ? [`subjectAltName=${names.join(",")}`] : []),
      "subjectKeyIdentifier=hash",
      ...(issuer
        ? ["authorityKeyIdentifier=keyid", `crlDistributionPoints=URI:http://crl.example/${issuer.name}.crl`]
        : []),
    ];
    writeFileSync(path("ext"), `${extensions.join("\n")}\n`);
    openssl("req", "-new", "-key", path("key"), "-subj", `/O=gofleet test/CN=${name}`, "-out", path("csr"));
    const signer = issuer
      ? ["-CA", this.file(issuer, "crt"), "-CAkey", this.file(issuer, "key"), "-CAcreateserial"]
      : ["-signkey", path("key")];
    openssl(
      ...["x509", "-req", "-in", path("csr"), ...signer, `-${digest}`, "-days", String(days)],
      ...["-extfile", path("ext"), "-out", path("crt")],
    );
    return { name, certificate: readFileSync(path("crt"), "utf8"), key: readFileSync(path("key"), "utf8") };
  }

  private file({ name }: Issued, suffix: string): string {
    return join(this.folder, `${name}.${suffix}`);
  }
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
