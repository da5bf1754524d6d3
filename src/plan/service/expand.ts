import type { AbsolutePath } from "../../model/names";
import { PLACES, type ServicePlaceName } from "../../model/service/words";
import type { ServicePlace } from "./place";

/** Directory of the service's configuration files. */
export function filesDirectory({ settings }: ServicePlace): AbsolutePath {
  return `${settings}/files`;
}

/** The service's directories, by the names that stand for them. */
function directories(place: ServicePlace): Record<ServicePlaceName, AbsolutePath> {
  const { directory, unit } = place;
  return {
    files: filesDirectory(place),
    credentials: `/run/credentials/${unit}`,
    state: `/var/lib/${directory}`,
    cache: `/var/cache/${directory}`,
    logs: `/var/log/${directory}`,
    runtime: `/run/${directory}`,
  };
}

/** The text with its `{state}` and the like put in place. */
export function expandPlaces(text: string, place: ServicePlace): string {
  const paths = directories(place);
  return PLACES.reduce((done, name) => done.replaceAll(`{${name}}`, paths[name]), text);
}
