import type { AbsolutePath } from "../../model/names";
import { socketUnitFile } from "../../render/service/socket-unit";
import type { HostPlan, PlanUnit } from "../host-plan";
import { textFile } from "../text-file";
import type { ServiceParts } from "./parts";
import { socketUnit } from "./place";

/** The sockets that systemd opens for a service. One that does not change stays open while the service is restarted. */
export function socketsPlan({ place, service }: ServiceParts): Partial<HostPlan> {
  const all = service.sockets.map((socket) => {
    const unit = socketUnit(place, socket.name);
    const path: AbsolutePath = `/etc/systemd/system/${unit}`;
    return { socket, unit, file: textFile(path, socketUnitFile({ ...place, service: place.unit, socket })) };
  });
  return {
    files: all.map(({ file }) => file),
    symlinks: all.map(({ unit }) => ({
      path: `/etc/systemd/system/sockets.target.wants/${unit}`,
      target: `../${unit}`,
      switched: false,
    })),
    units: all.map(({ unit, file }): PlanUnit => ({ name: unit, onChange: "restart", reads: [file.path] })),
    listens: all.flatMap(({ socket, unit }) => socket.tcp.map((endpoint) => ({ ...endpoint, unit }))),
  };
}
