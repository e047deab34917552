import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** A range of ports, both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

const given = new Set<number>();

/**
 * Ports on 127.0.0.1 that nothing listens on and that no outgoing connection will take: they lie outside the range from
 * which the kernel gives ports to clients. No port is given twice in one process.
 */
export async function freePorts(count: number, range = listenRange(ephemeralRange())): Promise<number[]> {
  const size = range.to - range.from + 1;
  // A random start keeps two stacks that start at the same moment apart.
  const start = Math.floor(Math.random() * size);
  const ports: number[] = [];
  for (let step = 0; step < size && ports.length < count; step++) {
    const port = range.from + ((start + step) % size);
    if (given.has(port) || !(await canBind(port))) continue;
    given.add(port);
    ports.push(port);
  }
  if (ports.length < count)
    throw new Error(`no ${count} free ports between ${range.from} and ${range.to} on 127.0.0.1`);
  return ports;
}

/** Where to listen: below the ephemeral range if there is room, else above it, else where collisions are rare. */
export function listenRange(ephemeral: PortRange): PortRange {
  const below = { from: 10_000, to: Math.min(ephemeral.from - 1, 32_767) };
  if (below.to - below.from >= 1_000) return below;
  const above = { from: Math.max(ephemeral.to + 1, 10_000), to: 65_535 };
  if (above.to - above.from >= 1_000) return above;
  return { from: 20_000, to: 32_000 };
}

function ephemeralRange(): PortRange {
  const path = '/proc/sys/net/ipv4/ip_local_port_range';
  // The range of IANA, which macOS and Windows follow.
  if (!existsSync(path)) return { from: 49_152, to: 65_535 };
  const [from, to] = readFileSync(path, 'latin1').trim().split(/\s+/).map(Number);
  return { from: from!, to: to! };
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.unref();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
