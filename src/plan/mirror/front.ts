import { CHALLENGE_PORT } from "../../model/mirror/front-acme";
import type { Front } from "../../model/mirror/front-resolve";
import type { AbsolutePath, UnitName } from "../../model/names";
import { nginxConfig, openFiles } from "../../render/mirror/nginx";
import type { NginxPlace } from "../../render/mirror/nginx-place";
import { nginxService, renewalUnits } from "../../render/mirror/nginx-units";
import type { HostPlan, PlanFile, PlanSymlink, PlanUnit } from "../host-plan";
import { textFile } from "../text-file";
import { acmePlan } from "./acme";
import { acmePaths } from "./acme-paths";
import { frontProbe } from "./front-probe";
import { secretPath, type MirrorPlace } from "./place";

/** Texts of the front's files that depend on values. */
export interface FrontTexts<Text> {
  /** By {@link frontConfigText}. */
  readonly config: Text;
  /** The chain, leaf first; where `tls` has one. */
  readonly certificate?: Text;
  /** The private ACME server's CA; where `tls.acme` has one. */
  readonly acmeCa?: Text;
  /** The CA of client certificates; where `access` has one. */
  readonly clientCa?: Text;
}

/** Names of the front's secrets. */
export const FRONT_KEY = "tls-key";
export const FRONT_PASSWORDS = "front-passwords";

/** The secrets that a front needs: the key as PEM, the passwords as `passwordFile` writes them. */
export function frontSecrets({ tls, access }: Front): string[] {
  return [...(tls.kind === "secret" ? [FRONT_KEY] : []), ...(access?.users ? [FRONT_PASSWORDS] : [])];
}

/** Where the front's things are on a host, besides those of its {@link MirrorPlace}. */
export interface FrontPaths {
  readonly service: AbsolutePath;
  readonly clientCa: AbsolutePath;
  /** Made by the unit. */
  readonly run: AbsolutePath;
  readonly passwords: AbsolutePath;
  readonly renewal: { readonly service: UnitName; readonly path: UnitName };
}

export function frontPaths({ component, settings, frontUser, front }: MirrorPlace): FrontPaths {
  const run: AbsolutePath = `/run/${frontUser}`;
  return {
    service: unitPath(front.unit),
    clientCa: `${settings}/client-ca.pem`,
    run,
    passwords: `${run}/passwords`,
    renewal: {
      service: `gofleet-${component}-nginx-renewal.service`,
      path: `gofleet-${component}-nginx-renewal.path`,
    },
  };
}

/** The front's nginx.conf. */
export function frontConfigText(front: Front, place: MirrorPlace): string {
  return nginxConfig(front, nginxPlace(front, place));
}

function nginxPlace(front: Front, place: MirrorPlace): NginxPlace {
  const paths = frontPaths(place);
  return {
    component: place.component,
    frontUser: place.frontUser,
    run: paths.run,
    passwords: paths.passwords,
    ...served(front, place),
    clientCa: paths.clientCa,
    cache: place.front.cache,
    generation: place.front.generation,
    socket: place.athens.socket,
    readOnlyFlag: place.keeper.readOnlyFlag,
    metrics: place.keeper.metrics,
  };
}

/** The pair that nginx reads, and where it answers ACME's challenges. */
function served({ domain, tls }: Front, place: MirrorPlace): Pick<NginxPlace, "certificate" | "key" | "challenges"> {
  if (tls.kind === "acme") {
    const { chain, key, challenges } = acmePaths(place, domain, tls.acme);
    return { certificate: chain, key, challenges };
  }
  return tls.kind === "files"
    ? { certificate: tls.certificateFile, key: tls.keyFile, challenges: undefined }
    : { certificate: place.front.certificate, key: secretPath(place, FRONT_KEY), challenges: undefined };
}

/**
 * The front on a host: nginx with a configuration, a unit and a certificate of its own. A changed configuration or
 * certificate is reloaded; only another unit, such as for a low port or a log elsewhere, restarts it. Its users and
 * directories are the store's part of the plan.
 */
export function frontPlan<Text>(
  front: Front,
  place: MirrorPlace,
  texts: FrontTexts<Text>,
): Partial<HostPlan<Text | string>> {
  const { tls, access } = front;
  const paths = frontPaths(place);
  const certificate = tls.kind === "secret" ? [textFile(place.front.certificate, given(texts.certificate))] : [];
  const clientCa = access?.clientCa ? [textFile(paths.clientCa, given(texts.clientCa))] : [];
  const renewal = tls.kind === "files" ? renewalPlan(place, paths, [tls.certificateFile, tls.keyFile]) : undefined;
  const acme =
    tls.kind === "acme" ? acmePlan(front, tls.acme, place, tls.acme.ca ? given(texts.acmeCa) : undefined) : undefined;
  const config = textFile(place.front.config, texts.config);
  const read = [config, ...certificate, ...clientCa].map(({ path }) => path);
  const restartFor = [paths.service];
  return {
    files: [
      config,
      ...certificate,
      ...clientCa,
      textFile(paths.service, service(front, place, paths)),
      ...(renewal?.files ?? []),
      ...(acme?.files ?? []),
    ],
    symlinks: [
      wanted(place.front.unit),
      ...(renewal?.symlinks ?? []),
      // The certificate has one path, wherever it comes from: the store's keeper reads its end from there.
      ...(tls.kind === "files"
        ? [{ path: place.front.certificate, target: tls.certificateFile, switched: false }]
        : []),
      ...(acme?.symlinks ?? []),
    ],
    units: [
      {
        name: place.front.unit,
        onChange: "reload",
        reads: [...read, ...frontSecrets(front), ...restartFor],
        restartFor,
      },
      ...(renewal?.units ?? []),
      ...(acme?.units ?? []),
    ],
    probes: [frontProbe(front, place), ...(acme?.probes ?? [])],
    packages: [
      "nginx",
      "openssl",
      ...(acme?.packages ?? []),
      ...(front.tiers.length > 0 || front.sumdbThrough ? ["ca-certificates"] : []),
    ],
    listens: [
      ...front.addresses.map((address) => ({ address, port: front.port, unit: place.front.unit })),
      { address: "127.0.0.1", port: front.statusPort, unit: place.front.unit },
      ...(acme?.listens ?? []),
    ],
  };
}

/** Seconds for downloads when the host shuts down: less than for a reload, which nobody waits for. */
const STOP = 30;

function service(front: Front, place: MirrorPlace, paths: FrontPaths): string {
  return nginxService({
    component: place.component,
    user: place.user,
    frontUser: place.frontUser,
    config: place.front.config,
    run: paths.run,
    cache: place.front.cache,
    store: front.store,
    prepare: front.tls.kind === "acme" ? acmePaths(place, front.domain, front.tls.acme).script : undefined,
    passwords: front.access?.users ? { secret: secretPath(place, FRONT_PASSWORDS), copy: paths.passwords } : undefined,
    reads: [
      ...(front.tls.kind === "files" ? [front.tls.certificateFile, front.tls.keyFile] : []),
      ...(front.store === undefined ? [] : [front.store]),
    ],
    writes: front.log.file === undefined ? [] : [directory(front.log.file)],
    files: openFiles(front),
    ports: [front.port, ...(front.tls.kind === "acme" ? [CHALLENGE_PORT] : [])],
    stop: STOP,
  });
}

function directory(path: AbsolutePath): AbsolutePath {
  return `/${path.split("/").slice(1, -1).join("/")}`;
}

interface RenewalPlan {
  readonly files: readonly PlanFile<string>[];
  readonly symlinks: readonly PlanSymlink[];
  readonly units: readonly PlanUnit[];
}

function renewalPlan({ front }: MirrorPlace, { renewal }: FrontPaths, watched: readonly AbsolutePath[]): RenewalPlan {
  const texts = renewalUnits(front.unit, watched);
  const files = [textFile(unitPath(renewal.service), texts.service), textFile(unitPath(renewal.path), texts.path)];
  return {
    files,
    symlinks: [wanted(renewal.path)],
    units: [{ name: renewal.path, onChange: "restart", reads: files.map(({ path }) => path) }],
  };
}

function wanted(unit: UnitName): PlanSymlink {
  return { path: `/etc/systemd/system/multi-user.target.wants/${unit}`, target: `../${unit}`, switched: false };
}

function unitPath(unit: UnitName): AbsolutePath {
  return `/etc/systemd/system/${unit}`;
}

function given<Text>(text: Text | undefined): Text {
  if (text === undefined) throw new Error("the front's certificates must be among its texts");
  return text;
}
