import { isIP } from "node:net";
import type { UnitName } from "../../model/names";
import type { Endpoint, ServiceSocket } from "../../model/service/listen";
import { literal, path, text, unitFile } from "../unit-file";

/** What a socket's unit is made of. */
export interface SocketUnit {
  readonly component: string;
  /** The service that takes its connections. */
  readonly service: UnitName;
  readonly socket: ServiceSocket;
}

/** A socket that stays open while the service is restarted. See systemd.socket(5). */
export function socketUnitFile({ component, service, socket }: SocketUnit): string {
  const { name, tcp, unix, backlog, mode, group } = socket;
  return unitFile(
    ["Unit", { Description: text(`Socket ${name} of ${component}`) }],
    [
      "Socket",
      {
        ListenStream: [...tcp.map((each) => literal(address(each))), ...unix.map(path)],
        FileDescriptorName: literal(name),
        Service: literal(service),
        Backlog: literal(String(backlog)),
        // Answers leave at once; Go sets the same on connections that it accepts by itself.
        NoDelay: tcp.length === 0 ? undefined : literal("yes"),
        SocketMode: unix.length === 0 ? undefined : literal(mode),
        SocketGroup: unix.length === 0 ? undefined : literal(group),
        RemoveOnStop: unix.length === 0 ? undefined : literal("yes"),
      },
    ],
    ["Install", { WantedBy: literal("sockets.target") }],
  );
}

/** A bare port is every address, of both kinds. */
function address({ address: host, port }: Endpoint): string {
  if (host === "::") return String(port);
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
