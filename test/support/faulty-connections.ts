import { TransientError } from '../../src/core/errors.ts';
import type { KafkaSettings } from '../../src/core/settings.ts';
import type { BrokerConnection } from '../../src/kafka/broker-connection.ts';
import { type ConnectionPurpose, Connections } from '../../src/kafka/connections.ts';
import type { Api } from '../../src/kafka/protocol/api.ts';

/** What happens to one request: `deliver` is the real thing. */
export type Fault = (deliver: () => Promise<unknown>, connection: BrokerConnection) => Promise<unknown>;

/** Connections to a real cluster on which the next request of an API can be made to go wrong. */
export class FaultyConnections extends Connections {
  readonly #faults: Map<string, Fault[]>;

  constructor(settings: KafkaSettings, clientId: string, faults: Map<string, Fault[]>) {
    super(settings, clientId);
    this.#faults = faults;
  }

  override async broker(nodeId: number, purpose: ConnectionPurpose, signal: AbortSignal): Promise<BrokerConnection> {
    const connection = await super.broker(nodeId, purpose, signal);
    return new Proxy(connection, {
      get: (target, property) => {
        if (property === 'request') return this.#request.bind(this, target);
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  async #request<Q, R>(connection: BrokerConnection, api: Api<Q, R>, request: Q): Promise<R> {
    const fault = this.#faults.get(api.name)?.shift();
    const deliver = () => connection.request(api, request);
    return fault === undefined ? deliver() : ((await fault(deliver, connection)) as R);
  }
}

/** The broker does it, but the connection breaks before its answer arrives. */
export const answerLost: Fault = async (deliver, connection) => {
  await deliver();
  connection.destroy();
  throw broken();
};

/** The connection breaks before the request has left. */
export const requestLost: Fault = async (_deliver, connection) => {
  connection.destroy();
  throw broken();
};

function broken(): TransientError {
  return new TransientError('the connection was cut by the test', { code: 'TEST_CUT', remedy: '-' });
}
