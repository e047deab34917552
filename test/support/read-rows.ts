import { AvroDecoder } from './avro-decoder.ts';
import { readTopics } from './topic-reader.ts';

/** The fields of an envelope that tests look at. */
export interface ReadEnvelope {
  readonly op: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly source: Readonly<Record<string, unknown>>;
}

/** The envelopes in a topic, oldest first; tombstones are left out. */
export async function readEnvelopes(topic: string): Promise<ReadEnvelope[]> {
  const decoder = new AvroDecoder();
  const values = (await readTopics([topic])).filter(({ value }) => value !== null);
  return Promise.all(values.map(async ({ value }) => (await decoder.decode(value)) as ReadEnvelope));
}

/** `id` of the row in each record of a topic of inserts, oldest first; a record that has no row makes it fail. */
export async function readIds(topic: string): Promise<number[]> {
  const decoder = new AvroDecoder();
  const records = await readTopics([topic]);
  return Promise.all(
    records.map(async ({ value }) => ((await decoder.decode(value)) as { after: { id: number } }).after.id),
  );
}
