import { MARKER } from "../marker";

/** A service's own user, without home, shell or password: sysusers.d(5). */
export function serviceUser(user: string, component: string): string {
  return `${MARKER}\nu ${user} - "Service ${component}" / /usr/sbin/nologin\n`;
}
