import type { AbsolutePath } from "../../model/names";
import type { Service } from "../../model/service/service";
import { diagnoseScript } from "../../render/service/diagnose-script";
import { environmentFile } from "../../render/service/environment-file";
import { notifierScript } from "../../render/service/notifier";
import { serviceUnit, type CommandLine } from "../../render/service/unit";
import { serviceUser } from "../../render/service/users";
import type { HostPlan, PlanFile, PlanUnit } from "../host-plan";
import { textFile } from "../text-file";
import { expandPlaces, filesDirectory } from "./expand";
import type { ServiceParts, ServiceTexts } from "./parts";
import { journalNamespace, socketUnit, type ServicePlace } from "./place";
import { programPath, releaseDownload, releaseTree } from "./release";
import { rsyslogUnits } from "./rsyslog";

/** The text of a service's variables, where they are known. */
export function environmentText(env: Readonly<Record<string, string>>, place: ServicePlace): string {
  return environmentFile(
    Object.fromEntries(Object.entries(env).map(([name, value]) => [name, expandPlaces(value, place)])),
  );
}

/** The unit, its user, and the files that it reads. */
export function unitPlan<Text>(parts: ServiceParts, texts: ServiceTexts<Text>): Partial<HostPlan<Text | string>> {
  const { place, service, hasEnvironment, release } = parts;
  const unitPath: AbsolutePath = `/etc/systemd/system/${place.unit}`;
  const notifies = service.health.notify === "probe";
  const atStart: PlanFile<Text | string>[] = [
    textFile<Text | string>(unitPath, unitText(parts)),
    ...(hasEnvironment ? [textFile<Text | string>(place.environment, texts.environment)] : []),
    ...(notifies ? [textFile<Text | string>(place.notifier, notifierScript(service.health))] : []),
  ];
  const configuration = service.files.map((name) =>
    textFile<Text | string>(`${filesDirectory(place)}/${name}`, given(texts, name)),
  );
  // What a process has from its start: a reload would leave the old program running under the new release's name.
  const restartFor = [...atStart.map(({ path }) => path), ...service.secrets, releaseDownload(release).name];
  const reads = [...restartFor, ...configuration.map(({ path }) => path)];
  const unit: PlanUnit =
    service.update === "reload"
      ? { name: place.unit, onChange: "reload", reads, restartFor }
      : { name: place.unit, onChange: "restart", reads };
  return {
    files: [
      ...atStart,
      ...configuration,
      { ...textFile(place.diagnose, diagnoseScript(place.unit, place.component)), mode: "0755" },
      ...userFiles(service, place),
    ],
    symlinks: [
      {
        path: `/etc/systemd/system/multi-user.target.wants/${place.unit}`,
        target: `../${place.unit}`,
        switched: false,
      },
    ],
    units: [unit],
    packages: notifies ? ["curl"] : [],
    listens: service.listen.map((endpoint) => ({ ...endpoint, unit: place.unit })),
  };
}

/** The user's name; with `DynamicUser=` it is there while the service runs. */
function userOf(service: Service, place: ServicePlace): string {
  return service.user ?? place.user;
}

function userFiles(service: Service, place: ServicePlace): PlanFile<string>[] {
  if (service.user === undefined) return [];
  return [textFile(`/etc/sysusers.d/gofleet-${place.component}.conf`, serviceUser(service.user, place.component))];
}

function unitText({ place, service, hasEnvironment, release }: ServiceParts): string {
  const [, ...args] = service.exec;
  const line: CommandLine = [programPath(release, place), ...words(args, place)];
  const ofRelease = (given: CommandLine | undefined): CommandLine | undefined =>
    given && [inTree(given[0], releaseTree(release, place)), ...words(given.slice(1), place)];
  return serviceUnit({
    component: place.component,
    service,
    user: userOf(service, place),
    directory: place.directory,
    environment: hasEnvironment ? place.environment : undefined,
    files: service.files.length === 0 ? undefined : filesDirectory(place),
    credentials: service.secrets.map((name) => ({ name, path: `${place.secrets}/${name}` })),
    // A shell by its own path: before the first release is switched on, the script's is not there to be verified.
    start: service.health.notify === "probe" ? ["/bin/sh", place.notifier, ...line] : line,
    validate: ofRelease(service.validate),
    reload: ofRelease(service.reload),
    sockets: service.sockets.map(({ name }) => socketUnit(place, name)),
    beside: rsyslogUnits(service.journal.rsyslog),
    namespace: service.journal.namespace ? journalNamespace(place) : undefined,
  });
}

function words(args: readonly string[], place: ServicePlace): string[] {
  return args.map((each) => expandPlaces(each, place));
}

function inTree(program: string, tree: AbsolutePath): string {
  return program.startsWith("/") ? program : `${tree}/${program}`;
}

function given<Text>({ files }: ServiceTexts<Text>, name: string): Text {
  const text = files[name];
  if (text === undefined) throw new Error(`the file ${name} must be among the service's texts`);
  return text;
}
