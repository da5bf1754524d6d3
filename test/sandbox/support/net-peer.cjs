// Run by network.ts in a network namespace, as a user: `net-peer.cjs UID serve|ask JSON`.
// `serve` listens on each { protocol, address, port } and answers whatever comes with "hello"; prints "ready".
// `ask` tries each and prints what came of it, as a JSON list: "hello", or the error's code.
const { createSocket } = require("node:dgram");
const { connect, createServer, isIPv6 } = require("node:net");

const [uid, verb, json] = process.argv.slice(2);
const places = JSON.parse(json);
/** Milliseconds; everything is on this machine. */
const PATIENCE = 1500;

process.setgroups([]);
process.setgid(Number(uid));
process.setuid(Number(uid));

const udp = (address) => createSocket(isIPv6(address) ? "udp6" : "udp4");

function serve({ protocol, address, port }) {
  return new Promise((resolve, reject) => {
    if (protocol === "udp") {
      const socket = udp(address).on("error", reject);
      socket.on("message", (_, peer) => socket.send("hello", peer.port, peer.address, () => undefined));
      socket.bind(port, address, resolve);
    } else {
      const server = createServer((socket) => socket.on("error", () => undefined).end("hello")).on("error", reject);
      server.listen(port, address, resolve);
    }
  });
}

async function ask({ protocol, address, port }) {
  const timers = [];
  const socket = protocol === "udp" ? udp(address) : connect({ host: address, port });
  const answer = await new Promise((resolve) => {
    timers.push(setTimeout(() => resolve("ETIMEDOUT"), PATIENCE));
    socket.on("error", (error) => resolve(error.code));
    socket.on("data", (data) => resolve(data.toString()));
    socket.on("message", (data) => resolve(data.toString()));
    if (protocol === "udp") {
      const send = () => socket.send("hello?", (error) => error && resolve(error.code));
      socket.connect(port, address, () => {
        send();
        // That a datagram was refused is an error of the next call.
        timers.push(setTimeout(send, 50));
      });
    }
  });
  timers.forEach(clearTimeout);
  if (protocol === "udp") socket.close();
  else socket.destroy();
  return answer;
}

async function main() {
  if (verb === "serve") {
    await Promise.all(places.map(serve));
    console.log("ready");
    return;
  }
  console.log(JSON.stringify(await Promise.all(places.map(ask))));
}

void main();
