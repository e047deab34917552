import { ConfigurationError, TransientError } from '../core/errors.ts';
import type { KafkaSettings } from '../core/settings.ts';
import { abortable } from './abortable.ts';
import { BrokerConnection } from './broker-connection.ts';
import type { BrokerAddress } from './protocol/metadata.ts';

/** Separates traffic on sockets of its own: a broker answers one socket's requests strictly one after the other. */
export type ConnectionPurpose = 'control' | 'data';

/**
 * Authenticated connections to the brokers of one cluster, at most one per broker and purpose, opened when asked for and
 * opened again after they broke. Belongs to one source (or one store): nothing here is shared.
 */
export class Connections implements AsyncDisposable {
  readonly #settings: KafkaSettings;
  readonly #clientId: string;
  /** Also those that were replaced and wait for their last answers. */
  readonly #all = new Set<BrokerConnection>();
  readonly #open = new Map<string, BrokerConnection>();
  readonly #opening = new Map<string, Promise<BrokerConnection>>();
  readonly #addresses = new Map<number, BrokerAddress>();
  readonly #disposed = new AbortController();
  /** Where to begin in the list of bootstrap addresses: behind the one that failed last. */
  #bootstrapAt = 0;

  /** `clientId` is what the broker's logs and quotas show. */
  constructor(settings: KafkaSettings, clientId: string) {
    this.#settings = settings;
    this.#clientId = clientId;
  }

  /** Takes over the addresses of a metadata answer. */
  learn(brokers: readonly BrokerAddress[]): void {
    for (const broker of brokers) this.#addresses.set(broker.nodeId, broker);
  }

  /** Whether the address of the broker is known. */
  knows(nodeId: number): boolean {
    return this.#addresses.has(nodeId);
  }

  /** @throws TransientError where the broker is unknown or unreachable, ConfigurationError where it refuses us. */
  async broker(nodeId: number, purpose: ConnectionPurpose, signal: AbortSignal): Promise<BrokerConnection> {
    const address = this.#addresses.get(nodeId);
    if (address === undefined) {
      throw new TransientError(`the address of Kafka broker ${nodeId} is unknown`, {
        code: 'KAFKA_BROKER_UNKNOWN',
        remedy: 'It is looked up again by itself; check that all brokers of the cluster run.',
      });
    }
    return this.#connection(`${purpose}/${nodeId}`, address.host, address.port, signal);
  }

  /**
   * A control connection to any broker: an open one, else a known broker, else the bootstrap list, until one answers.
   * @throws TransientError naming what was tried; ConfigurationError where one refuses us and none accepts.
   */
  async any(signal: AbortSignal): Promise<BrokerConnection> {
    for (const [key, connection] of this.#open) {
      if (key.startsWith('control/') && connection.usable && !connection.retiring) return connection;
    }
    const tried: string[] = [];
    let refusal: ConfigurationError | null = null;
    let cause: unknown;
    for (const candidate of this.#candidates()) {
      try {
        return await this.#connection(candidate.key, candidate.host, candidate.port, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ConfigurationError) refusal ??= error;
        cause = error;
        tried.push(`${candidate.host}:${candidate.port}`);
        if (candidate.bootstrap) this.#bootstrapAt += 1;
      }
    }
    if (refusal !== null) throw refusal;
    const last = cause instanceof Error ? `; at last ${cause.message}` : '';
    const advice = cause instanceof TransientError ? ` ${cause.remedy}` : '';
    throw new TransientError(`no Kafka broker can be reached; tried ${tried.join(', ')}${last}`, {
      code: 'KAFKA_UNREACHABLE',
      remedy: `Check kafka.brokers, that the brokers run, that kafka.tls and kafka.sasl fit the listener, and the network.${advice}`,
      cause,
    });
  }

  /** Closes every socket at once and resolves when all are closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    for (const connection of this.#all) connection.destroy();
    await Promise.allSettled([...this.#opening.values(), ...[...this.#all].map(({ closed }) => closed)]);
  }

  async #connection(key: string, host: string, port: number, signal: AbortSignal): Promise<BrokerConnection> {
    signal.throwIfAborted();
    this.#disposed.signal.throwIfAborted();
    const open = this.#open.get(key);
    if (open?.usable && !open.retiring) return open;
    // Callers share one attempt, so an impatient caller must not cut it short for the others: its own wait ends instead.
    let opening = this.#opening.get(key);
    if (opening === undefined) {
      opening = this.#connect(key, host, port).finally(() => this.#opening.delete(key));
      this.#opening.set(key, opening);
    }
    return abortable(opening, signal);
  }

  async #connect(key: string, host: string, port: number): Promise<BrokerConnection> {
    const { tls, sasl, requestTimeoutMs } = this.#settings;
    const options = { host, port, tls, sasl, clientId: this.#clientId, requestTimeoutMs };
    const connection = await BrokerConnection.connect(options, this.#disposed.signal);
    if (this.#disposed.signal.aborted) connection.destroy();
    this.#open.get(key)?.closeWhenIdle();
    this.#open.set(key, connection);
    this.#all.add(connection);
    void connection.closed.then(() => {
      this.#all.delete(connection);
      if (this.#open.get(key) === connection) this.#open.delete(key);
    });
    return connection;
  }

  *#candidates(): Generator<{ key: string; host: string; port: number; bootstrap: boolean }> {
    for (const { nodeId, host, port } of this.#addresses.values()) {
      yield { key: `control/${nodeId}`, host, port, bootstrap: false };
    }
    const { brokers } = this.#settings;
    const first = this.#bootstrapAt;
    for (let i = 0; i < brokers.length; i++) {
      const address = brokers[(first + i) % brokers.length]!;
      const colon = address.lastIndexOf(':');
      const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
      yield { key: `control/${address}`, host, port: Number(address.slice(colon + 1)), bootstrap: true };
    }
  }
}
