// One service of emulate on a free port of loopback, by itself it would listen on all addresses; the
// line that comes out says which port. It ends with whoever holds its standard input open.
import net from "node:net";

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port) {
  return listen.call(this, port, "127.0.0.1", () => console.log(this.address().port));
};

const { createEmulator } = await import("emulate");
await createEmulator({ port: 0, ...JSON.parse(process.env.SETUP) });
process.stdin.on("end", () => process.exit(0)).resume();
