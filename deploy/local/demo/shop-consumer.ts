import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import type { LiveChange, Row } from '../../../src/cli/change-line.ts';
import { EXACT_LONG } from '../avsc-exact-long.ts';
import { teachKafkajsZstd } from '../kafkajs-zstd.ts';

teachKafkajsZstd();

/** The part of a Debezium envelope that is shown. */
interface Envelope {
  readonly op: LiveChange['op'];
  readonly before: Row | null;
  readonly after: Row | null;
  readonly source: { readonly schema: string; readonly table: string; readonly ts_ms: bigint };
}

/**
 * What a Node user would write: kafkajs and @kafkajs/confluent-schema-registry, no line of tailrace. Calls `seen` for every
 * change, in partition order; tombstones are left out.
 */
export async function consumeShop(
  brokers: readonly string[],
  registryUrl: string,
  topics: readonly string[],
  seen: (change: LiveChange) => void,
): Promise<Consumer> {
  const kafka = new Kafka({ clientId: 'demo-consumer', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const registry = new SchemaRegistry({ host: registryUrl }, { forSchemaOptions: { typeHook: exactLong } });
  const consumer = kafka.consumer({ groupId: `demo-${process.pid}` });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    process.stderr.write(`the consumer ended: ${payload.error.message}\n`);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      if (message.value === null) return;
      const envelope = (await registry.decode(message.value)) as Envelope;
      const key = message.key === null ? null : ((await registry.decode(message.key)) as Row);
      const { op, before, after, source } = envelope;
      seen({ atMs: Number(source.ts_ms), op, table: `${source.schema}.${source.table}`, key, before, after });
    },
  });
  return consumer;
}

/** Resolves when all of `topics` exist, or after `timeoutMs` with an error naming those that do not. */
export async function waitForTopics(brokers: readonly string[], topics: readonly string[], timeoutMs: number) {
  const admin = new Kafka({ clientId: 'demo', brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const existing = new Set(await admin.listTopics());
      const missing = topics.filter((topic) => !existing.has(topic));
      if (missing.length === 0) return;
      if (Date.now() > deadline)
        throw new Error(`no change arrived in ${missing.join(', ')} within ${timeoutMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await admin.disconnect();
  }
}

/** A registry of types cannot be handed over instead: avsc adds every schema's types to it and then finds them twice. */
function exactLong(schema: unknown) {
  return schema === 'long' ? EXACT_LONG : undefined;
}
