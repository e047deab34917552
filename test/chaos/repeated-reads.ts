import avro from 'avsc';
import { schemaId } from '../support/avro-decoder.ts';
import { bigintKey } from '../support/bigint-key.ts';
import { askRegistry, subjectVersions } from '../support/registry.ts';
import { readEachRecord } from '../support/topic-reader.ts';

/**
 * Rows of a snapshot (`op: r`) whose key the same snapshot had read before, by the kill that they came after; the first
 * element counts those before any kill. For topics of one partition whose keys are one bigint.
 *
 * @param keys above the largest key
 * @param killedAt end offsets of the topic at the kills
 */
export async function repeatedReads(topic: string, keys: number, killedAt: readonly number[]): Promise<number[]> {
  const isRead = new Uint8Array(keys);
  const repeated = new Array<number>(killedAt.length + 1).fill(0);
  const operation = await operationReader(topic);
  let kill = 0;
  await readEachRecord([topic], ({ key, value, offset }) => {
    if (value === null || operation(value) !== 'r') return;
    while (kill < killedAt.length && offset >= killedAt[kill]!) kill += 1;
    const id = bigintKey(key!);
    if (id >= keys) throw new Error(`${topic} has the key ${id}`);
    if (isRead[id] === 1) repeated[kill]! += 1;
    isRead[id] = 1;
  });
  return repeated;
}

/** Reads nothing but `op` of the topic's envelopes: the columns of millions of rows would take minutes. */
async function operationReader(topic: string): Promise<(value: Buffer) => string> {
  const readers = new Map<number, (body: Buffer) => string>();
  for (const version of await subjectVersions(`${topic}-value`)) {
    const { body } = await askRegistry('GET', `/subjects/${encodeURIComponent(`${topic}-value`)}/versions/${version}`);
    const { id, schema } = body as { id: number; schema: string };
    const written = avro.Type.forSchema(JSON.parse(schema));
    const fields = [{ name: 'op', type: 'string' }] as const;
    const read = avro.Type.forSchema({ type: 'record', name: written.name!, fields: [...fields] });
    const resolver = read.createResolver(written);
    readers.set(id, (bytes) => (read.fromBuffer(bytes, resolver, true) as { op: string }).op);
  }
  return (value) => {
    const read = readers.get(schemaId(value));
    if (read === undefined) throw new Error(`a record of ${topic} has the schema ${schemaId(value)}`);
    return read(value.subarray(5));
  };
}
