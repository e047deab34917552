import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { ConfigurationError, TransientError } from '../../../src/core/errors.ts';
import { BrokerConnection, type ConnectionOptions } from '../../../src/kafka/broker-connection.ts';
import { Connections } from '../../../src/kafka/connections.ts';
import type { Api } from '../../../src/kafka/protocol/api.ts';
import { initProducerId } from '../../../src/kafka/protocol/init-producer-id.ts';
import { metadata } from '../../../src/kafka/protocol/metadata.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { ScriptedCluster } from './scripted-cluster.ts';
import { kafkaSettings } from './sink-fixture.ts';

const never = new AbortController().signal;

function options(address: string, overrides: Partial<ConnectionOptions> = {}): ConnectionOptions {
  const [host, port] = address.split(':') as [string, string];
  return { host, port: Number(port), tls: null, sasl: null, clientId: 'test', requestTimeoutMs: 2_000, ...overrides };
}

/** A server that does with each socket what the test wants. */
async function withServer(serve: (socket: Socket) => void, play: (address: string) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await play(`127.0.0.1:${(server.address() as { port: number }).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

test('requests in flight are all rejected when the connection breaks, and only once it is closed', async () => {
  await using cluster = new ScriptedCluster('t', 1);
  await cluster.start(1);
  const connection = await BrokerConnection.connect(options(cluster.address(1)), never);
  assert.equal((await connection.request(metadata, { topics: ['t'] })).topics[0]!.name, 't');
  let closed = false;
  void connection.closed.then(() => {
    closed = true;
  });
  const requests = [1, 2].map(() =>
    connection.request(initProducerId, { transactionalId: null, transactionTimeoutMs: 1 }),
  );
  const checks = requests.map((request) =>
    assert.rejects(request, (error) => {
      assert.ok(error instanceof TransientError);
      assert.ok(closed || !connection.usable);
      return true;
    }),
  );
  connection.destroy();
  assert.equal(connection.usable, false);
  await Promise.all(checks);
  await connection.closed;
  await assert.rejects(connection.request(metadata, { topics: [] }), TransientError);
});

test('a server that never answers costs the deadline, not for ever', async () => {
  await withServer(
    () => {},
    async (address) => {
      await assert.rejects(BrokerConnection.connect(options(address, { requestTimeoutMs: 100 }), never), {
        code: 'KAFKA_REQUEST_TIMEOUT',
      });
    },
  );
});

test('connecting ends with its signal', async () => {
  await withServer(
    () => {},
    async (address) => {
      const stop = new AbortController();
      const connecting = BrokerConnection.connect(options(address), stop.signal);
      stop.abort(new Error('stopping'));
      await assert.rejects(connecting, /stopping/);
    },
  );
});

test('a server that does not speak Kafka is a lost connection', async () => {
  await withServer(
    (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    async (address) => {
      await assert.rejects(BrokerConnection.connect(options(address), never), { code: 'KAFKA_CONNECTION_LOST' });
    },
  );
});

test('an answer to a request that was never made is a lost connection', async () => {
  await withServer(
    (socket) => socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 99])),
    async (address) => {
      await assert.rejects(BrokerConnection.connect(options(address), never), { code: 'KAFKA_CONNECTION_LOST' });
    },
  );
});

test('a broker too old for our versions is named', async () => {
  await withServer(
    (socket) =>
      socket.on('data', (request: Buffer) => {
        const answer = Buffer.alloc(14);
        answer.writeInt32BE(10, 0);
        answer.writeInt32BE(request.readInt32BE(8), 4);
        answer.writeInt16BE(35, 8);
        socket.write(answer);
      }),
    async (address) => {
      await assert.rejects(BrokerConnection.connect(options(address), never), (error) => {
        assert.ok(error instanceof ConfigurationError);
        assert.ok(error.message.includes(address));
        return true;
      });
    },
  );
});

test('bootstrap goes on to the next address, shares one connection and opens a new one after a loss', async () => {
  await using cluster = new ScriptedCluster('t', 1);
  await cluster.start(1);
  await using connections = new Connections(kafkaSettings({ brokers: ['127.0.0.1:1', cluster.address(1)] }), 'test');
  const [one, two] = await Promise.all([connections.any(never), connections.any(never)]);
  assert.equal(one, two);
  assert.equal(await connections.any(never), one);
  assert.equal(cluster.connections, 1);
  one.destroy();
  const three = await connections.any(never);
  assert.notEqual(three, one);
  assert.ok(three.usable);
});

test('an unknown broker is a transient error, and disposing closes everything', async () => {
  await using cluster = new ScriptedCluster('t', 1);
  await cluster.start(1);
  const connections = new Connections(kafkaSettings({ brokers: [cluster.address(1)] }), 'test');
  await assert.rejects(connections.broker(7, 'data', never), { code: 'KAFKA_BROKER_UNKNOWN' });
  const control = await connections.any(never);
  connections.learn((await control.request(metadata, { topics: [] })).brokers);
  const data = await connections.broker(1, 'data', never);
  assert.notEqual(data, control);
  await connections[Symbol.asyncDispose]();
  assert.ok(!data.usable && !control.usable);
  await awaitUntil('the broker sees it', () => cluster.connections === 0);
  await assert.rejects(connections.any(never));
});

test('a request that is answered early settles only once nobody reads what was given to it', async () => {
  const answered: Api<never, string> = {
    name: 'Answered',
    key: 3,
    minVersion: 0,
    maxVersion: 0,
    flexible: false,
    encode: () => {},
    decode: () => 'the answer',
  };
  const answerTo = (correlationId: number) => {
    const frame = Buffer.alloc(8);
    frame.writeInt32BE(4, 0);
    frame.writeInt32BE(correlationId, 4);
    return frame;
  };
  await using cluster = new ScriptedCluster('t', 1);
  await cluster.start(1);
  const [host, port] = cluster.address(1).split(':') as [string, string];
  let broker: Socket | undefined;
  const serve = (socket: Socket) => {
    broker = socket;
    // The real handshake, then nobody reads any more.
    const upstream = createConnection(Number(port), host);
    socket.once('data', (request) => {
      socket.pause();
      upstream.write(request);
    });
    upstream.once('data', (response) => {
      socket.write(response);
      upstream.destroy();
    });
  };
  await withServer(serve, async (address) => {
    const connection = await BrokerConnection.connect(options(address, { requestTimeoutMs: 20_000 }), never);
    const small = connection.send(answered, 0, [Buffer.alloc(10)]);
    const large = connection.send(answered, 0, [Buffer.alloc(64 * 1024 * 1024)]);
    let isSettled = false;
    const done = large.then((answer) => {
      isSettled = true;
      return answer;
    });
    // The handshake had the first number. The answer to the large request comes before that to the small one.
    broker!.write(Buffer.concat([answerTo(2), answerTo(1)]));
    assert.equal(await small, 'the answer');
    assert.equal(isSettled, false);
    broker!.resume();
    assert.equal(await done, 'the answer');
    connection.destroy();
  });
});
