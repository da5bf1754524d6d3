import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { FakeForge, type Reply } from "./fake-forge";

interface Node {
  readonly name: string;
  readonly labels: string;
  /** It has a build. */
  busy: boolean;
  /** It gets no further one. */
  closed: boolean;
}

const USER = "builder";
const CRUMB = "crumb-of-a-session";
const SESSION = "JSESSIONID=session";

/** As much of a Jenkins's API as nodes of inbound agents need; each change needs the crumb of its session. */
export class FakeJenkins extends FakeForge {
  readonly nodes = new Map<string, Node>();

  /** The node of a slot that is known now, if there is one. */
  of(slot: number): Node | undefined {
    return [...this.nodes.values()].find(({ name }) => name.includes(`-ci-${slot}-`));
  }

  /** What a node's agent connects with. */
  secretOf(name: string): string {
    return createHash("sha256").update(`secret of ${name}`).digest("hex");
  }

  protected reply({ method, url = "", headers }: IncomingMessage, body: string): Reply {
    const basic = Buffer.from(`${USER}:${this.token}`).toString("base64");
    if (headers.authorization !== `Basic ${basic}`) return { status: 401, body: "<html>Invalid password/token</html>" };
    const { pathname, searchParams } = new URL(url, this.url);
    if (pathname === "/crumbIssuer/api/json") {
      const crumb = { crumb: CRUMB, crumbRequestField: "Jenkins-Crumb" };
      return { status: 200, body: crumb, headers: { "set-cookie": `${SESSION}; Path=/; Secure; HttpOnly` } };
    }
    if (method === "POST" && !(headers["jenkins-crumb"] === CRUMB && headers.cookie === SESSION)) {
      return { status: 403, body: "<html>No valid crumb was included in the request</html>" };
    }
    if (method === "POST" && pathname === "/computer/doCreateItem") return this.create(new URLSearchParams(body));
    const [, name = "", action = ""] = /^\/computer\/([^/]+)\/(.+)$/.exec(pathname) ?? [];
    const node = this.nodes.get(name);
    return node === undefined
      ? { status: 404, body: "<html>Not Found</html>" }
      : this.act(node, `${method} ${action}`, searchParams);
  }

  private create(form: URLSearchParams): Reply {
    const { name, labelString } = JSON.parse(form.get("json") ?? "") as { name: string; labelString: string };
    if (name !== form.get("name") || this.nodes.has(name)) return { status: 400, body: "<html>Error</html>" };
    this.nodes.set(name, { name, labels: labelString, busy: false, closed: false });
    return { status: 302, headers: { location: `${this.url}/computer/` } };
  }

  private act(node: Node, request: string, parameters: URLSearchParams): Reply {
    switch (request) {
      case "GET jenkins-agent.jnlp": {
        const words = [this.secretOf(node.name), node.name, "-url", this.url];
        const given = words.map((word) => `<argument>${word}</argument>`).join("");
        return { status: 200, body: `<jnlp><application-desc>${given}</application-desc></jnlp>` };
      }
      case "GET api/json":
        return { status: 200, body: { idle: !node.busy, temporarilyOffline: node.closed } };
      case "POST changeOfflineCause":
        if (!parameters.has("offlineMessage")) return { status: 400, body: "<html>Error</html>" };
        node.closed = true;
        return { status: 302, headers: { location: "." } };
      case "POST doDelete":
        this.nodes.delete(node.name);
        return { status: 302, headers: { location: ".." } };
      default:
        return { status: 404, body: "<html>Not Found</html>" };
    }
  }
}
