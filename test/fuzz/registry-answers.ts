import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { RegistryClient } from '../../src/avro/registry-client.ts';
import { RegistryRefusal } from '../../src/avro/registry-errors.ts';
import { TailraceError } from '../../src/core/errors.ts';
import type { Metrics } from '../../src/core/metrics.ts';
import { mutated, type Random } from './random.ts';
import type { FuzzTarget, Verdict } from './target.ts';

const BODIES = [
  '{"id":7,"version":1,"schema":"\\"int\\"","subject":"t-value"}',
  '{"is_compatible":true}',
  '{"is_compatible":false,"messages":["READER_FIELD_MISSING_DEFAULT_VALUE"]}',
  '{"compatibilityLevel":"BACKWARD"}',
  '{"error_code":40401,"message":"Subject not found."}',
  '{"error_code":42201,"message":"Invalid schema"}',
];
const STATUS = ['200 OK', '404 Not Found', '409 Conflict', '422 Unprocessable Entity', '500 Internal Server Error'];
const NO_METRICS = { counter: () => ({ bind: () => ({ add: () => {} }) }) } as unknown as Metrics;
const signal = new AbortController().signal;

type Question = (registry: RegistryClient) => Promise<unknown>;
const QUESTIONS: readonly Question[] = [
  async (registry) => {
    const id = await registry.lookUp('t-value', '"int"', signal);
    assert.ok(id === null || Number.isInteger(id));
  },
  async (registry) => assert.ok(Number.isInteger(await registry.register('t-value', '"int"', signal))),
  async (registry) => {
    const { compatible, reasons } = await registry.checkCompatibility('t-value', '"int"', signal);
    assert.ok(typeof compatible === 'boolean' && reasons.every((reason) => typeof reason === 'string'));
  },
  async (registry) => {
    const schema = await registry.latestSchema('t-value', signal);
    assert.ok(schema === null || typeof schema === 'string');
  },
  async (registry) => {
    const schema = await registry.schemaById(7, signal);
    assert.ok(schema === null || (typeof schema.text === 'string' && typeof schema.type === 'string'));
  },
  async (registry) => assert.equal(typeof (await registry.globalCompatibility(signal)), 'string'),
];

/** Whole HTTP answers of a registry, header and body, with mutations in them. */
export async function registryAnswers(): Promise<FuzzTarget> {
  let answer: Buffer = Buffer.alloc(0);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    // One answer for each connection, then its end: a length that is not true does not keep the client waiting.
    socket.once('data', () => socket.end(answer));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const registry = new RegistryClient(
    {
      urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`],
      auth: { kind: 'none' },
      tls: null,
      requestTimeoutMs: 5_000,
      onIncompatible: 'fail',
      subjectNaming: 'topic_name',
    },
    NO_METRICS,
  );
  const judge = async (bytes: Buffer, question: Question): Promise<Verdict> => {
    answer = bytes;
    try {
      await question(registry);
      return 'decoded';
    } catch (error) {
      if (error instanceof RegistryRefusal || error instanceof TailraceError) return 'refused';
      throw error;
    }
  };
  return {
    name: 'registry-answers',
    weight: 3,
    next(random: Random) {
      const body = Buffer.from(BODIES[random(BODIES.length)]!);
      const status = STATUS[random(2) === 0 ? 0 : random(STATUS.length)]!;
      const head = (length: number) =>
        Buffer.from(`HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`);
      const changed = mutated(body, random);
      // Either what was said was wrong, or how.
      const bytes =
        random(3) === 0
          ? mutated(Buffer.concat([head(body.length), body]), random)
          : Buffer.concat([head(changed.length), changed]);
      const question = QUESTIONS[random(QUESTIONS.length)]!;
      return { input: JSON.stringify(bytes.toString('latin1')), judge: () => judge(bytes, question) };
    },
    async close() {
      await registry[Symbol.asyncDispose]();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
