import { createServer, connect as openConnection, type Server, type Socket } from 'node:net';

/**
 * What a connection meets: the real server, a closed port, silence, slowness, an end after some bytes of the server's
 * answers, or a broken HTTP server. A change ends every connection that is open.
 */
export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'cut'; readonly afterBytes: () => number }
  | { readonly kind: 'http-status'; readonly status: number };

/** A TCP proxy in front of a real service, for taking the service away and giving it back. */
export class FaultProxy implements AsyncDisposable {
  #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  #fault: Fault = { kind: 'none' };
  #isSilent = false;
  /** Connections that were accepted since the last change. */
  accepted = 0;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
  }

  /** Connections that are open now, to either side. */
  get open(): number {
    return this.#sockets.size;
  }

  static async inFrontOf(url: string, fault: Fault = { kind: 'none' }): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetOf(url));
    await proxy.#listen();
    await proxy.become(fault);
    return proxy;
  }

  /** `url` with this proxy in the place of its host and port. */
  urlFor(url: string): string {
    const proxied = new URL(url);
    proxied.hostname = '127.0.0.1';
    proxied.port = String(this.#port);
    return proxied.href.replace(/\/$/, '');
  }

  async become(fault: Fault): Promise<void> {
    this.#fault = fault;
    this.#isSilent = false;
    this.accepted = 0;
    for (const socket of this.#sockets) socket.destroy();
    if (fault.kind === 'refuse') await this.#close();
    else if (this.#server === null) await this.#listen();
  }

  /** As when a cable is pulled: what is open stays open, nothing arrives at either end any more, and new connections hang. */
  fallSilent(): void {
    this.#fault = { kind: 'hang' };
    this.#isSilent = true;
  }

  /** From now on another server is behind this address; connections that are open stay with theirs. */
  moveTo(url: string): void {
    this.#target = targetOf(url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#close();
  }

  #listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (server.address() as { port: number }).port;
        resolve();
      });
    });
  }

  #close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    return server === null ? Promise.resolve() : new Promise((resolve) => server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    this.#keep(client);
    const fault = this.#fault;
    if (fault.kind === 'hang') client.resume();
    else if (fault.kind === 'http-status') {
      client.once('data', () =>
        client.end(`HTTP/1.1 ${fault.status} Broken\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`),
      );
    } else {
      const server = this.#forward(client, fault.kind === 'delay' ? fault.ms : 0);
      if (fault.kind === 'cut') cutAfter(server, fault.afterBytes());
    }
  }

  /** @returns the connection to the server. */
  #forward(client: Socket, delayMs: number): Socket {
    const server = openConnection(this.#target);
    this.#keep(server);
    const pass = (from: Socket, to: Socket) => {
      from.on('data', (bytes) => {
        if (this.#isSilent) return;
        if (delayMs === 0) to.write(bytes);
        else setTimeout(() => to.writable && to.write(bytes), delayMs);
      });
      from.on('close', () => {
        if (!this.#isSilent) to.destroy();
      });
    };
    pass(client, server);
    pass(server, client);
    return server;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // The other end sees the broken connection; an unheard event would end the process.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

function targetOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

/** Ends the connection once the server has sent so many bytes: where that is, in the middle of a message or not, nobody minds. */
function cutAfter(server: Socket, bytes: number): void {
  let left = bytes;
  server.on('data', (chunk) => {
    left -= chunk.length;
    if (left <= 0) server.destroy();
  });
}
