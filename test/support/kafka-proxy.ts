import { createServer, connect as openConnection, type Server, type Socket } from 'node:net';
import type { ProxiedListener } from '../../deploy/local/kafka.ts';

/**
 * What happens to one request of an API:
 * - `answer-lost`: the broker does it, its answer is lost with the connection;
 * - `answer-kept`: the broker does it, its answer never comes, nor does any after it, and the connection stays;
 * - `late`: it and what follows on the connection reach the broker only after `ms`, even where its client has left by then.
 */
export type RequestFault =
  | { readonly kind: 'answer-lost' }
  | { readonly kind: 'answer-kept' }
  | { readonly kind: 'late'; readonly ms: number };

/** Keys of the protocol: https://kafka.apache.org/protocol#protocol_api_keys */
export const PRODUCE = 0;

const CORRELATION_AT = 4;

/**
 * Stands between clients and a broker, on the port that its second listener advertises, and understands the protocol just
 * as far as to tell requests apart: a connection that breaks anywhere is what every client is tested with.
 */
export class KafkaProxy implements AsyncDisposable {
  readonly #listener: ProxiedListener;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  /** Asked about every request. */
  onRequest: (apiKey: number) => RequestFault | null = () => null;
  /** Requests of each API so far. */
  readonly requests = new Map<number, number>();
  #isHeld = false;
  readonly #held: (() => void)[] = [];

  private constructor(listener: ProxiedListener) {
    this.#listener = listener;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async at(listener: ProxiedListener): Promise<KafkaProxy> {
    const proxy = new KafkaProxy(listener);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(listener.advertised, '127.0.0.1', resolve);
    });
    return proxy;
  }

  /** `host:port` for the configuration of a client. */
  get address(): string {
    return `127.0.0.1:${this.#listener.advertised}`;
  }

  /** Nothing passes in either direction, and nothing is lost: a network without routes. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Ends every connection with what was held on it, and lets new ones pass. */
  cut(): void {
    this.#isHeld = false;
    this.#held.length = 0;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    const broker = openConnection({ host: '127.0.0.1', port: this.#listener.port });
    const faults = new Map<number, RequestFault>();
    let lateMs = 0;
    let isSilent = false;
    let forwarded = Promise.resolve();
    this.#keep(client);
    this.#keep(broker);
    readFrames(client, (frame) => {
      const apiKey = frame.readInt16BE(4);
      this.requests.set(apiKey, (this.requests.get(apiKey) ?? 0) + 1);
      const fault = this.onRequest(apiKey);
      if (fault?.kind === 'late') lateMs = Math.max(lateMs, fault.ms);
      else if (fault !== null) faults.set(frame.readInt32BE(4 + CORRELATION_AT), fault);
      const pauseMs = lateMs;
      forwarded = forwarded.then(async () => {
        if (fault?.kind === 'late') await new Promise((resolve) => setTimeout(resolve, pauseMs));
        await this.#passage();
        if (broker.writable) broker.write(frame);
      });
    });
    readFrames(broker, (frame) => {
      const fault = faults.get(frame.readInt32BE(4));
      isSilent ||= fault?.kind === 'answer-kept';
      if (fault?.kind === 'answer-lost') client.destroy();
      else if (!isSilent) this.#passage().then(() => client.writable && client.write(frame));
    });
    broker.on('close', () => client.destroy());
    // What is late gets there nevertheless, as from the buffers of a network.
    client.on('close', () => forwarded.then(() => broker.end()));
  }

  #passage(): Promise<void> {
    if (!this.#isHeld) return Promise.resolve();
    return new Promise((resolve) => this.#held.push(resolve));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // The other end sees the broken connection; an unheard event would end the process.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** Frames of the protocol, each with its four bytes of length. */
function readFrames(socket: Socket, take: (frame: Buffer) => void): void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    let all: Buffer | null = null;
    while (bytes >= 4) {
      all ??= Buffer.concat(chunks, bytes);
      const size = 4 + all.readInt32BE(0);
      if (bytes < size) break;
      take(all.subarray(0, size));
      all = all.subarray(size);
      bytes -= size;
    }
    if (all !== null) chunks = bytes === 0 ? [] : [all];
  });
}
