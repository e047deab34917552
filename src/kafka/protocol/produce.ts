import type { Api } from './api.ts';
import type { BrokerAddress } from './metadata.ts';
import type { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** One sealed record batch for one partition, as the pieces that follow each other on the wire. */
export interface ProducePartition {
  readonly partition: number;
  readonly records: Buffer;
}

export interface ProduceTopic {
  readonly name: string;
  readonly partitions: readonly ProducePartition[];
}

export interface ProduceRequest {
  readonly transactionalId: string | null;
  /** How long the broker may wait for its replicas. */
  readonly timeoutMs: number;
  readonly topics: readonly ProduceTopic[];
}

export interface ProducePartitionResponse {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** -1 where the broker does not say. */
  readonly baseOffset: number;
  readonly errorMessage: string | null;
  /** KIP-951: who leads now, where the broker knows; else -1. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface ProduceResponse {
  readonly partitions: readonly ProducePartitionResponse[];
  readonly throttleTimeMs: number;
  readonly brokers: readonly BrokerAddress[];
}

/** acks=all always. `encode` copies the batches; the hot path uses `produceChunks` instead. */
export const produce: Api<ProduceRequest, ProduceResponse> = {
  name: 'Produce',
  key: 0,
  minVersion: 9,
  maxVersion: 11,
  flexible: true,
  encode(out, request) {
    for (const chunk of produceChunks(request)) out.raw(chunk);
  },
  decode(input, version) {
    const partitions: ProducePartitionResponse[] = [];
    input.array(() => {
      const topic = input.string();
      input.array(() => partitions.push(readPartition(input, topic, version)));
      input.tags();
    });
    const throttleTimeMs = input.int32();
    let brokers: BrokerAddress[] = [];
    input.tags((tag, value) => {
      if (tag === 0) brokers = readBrokers(value);
    });
    return { partitions, throttleTimeMs, brokers };
  },
};

function readPartition(input: WireReader, topic: string, version: number): ProducePartitionResponse {
  const partition = input.int32();
  const errorCode = input.int16();
  const baseOffset = input.safeInt64();
  input.safeInt64();
  input.safeInt64();
  input.array(() => {
    input.int32();
    input.nullableString();
    input.tags();
  });
  const errorMessage = input.nullableString();
  let leaderId = -1;
  let leaderEpoch = -1;
  input.tags((tag, value) => {
    if (tag !== 0 || version < 10) return;
    leaderId = value.int32();
    leaderEpoch = value.int32();
  });
  return { topic, partition, errorCode, baseOffset, errorMessage, leaderId, leaderEpoch };
}

function readBrokers(input: WireReader): BrokerAddress[] {
  return input.array(() => {
    const broker = { nodeId: input.int32(), host: input.string(), port: input.int32() };
    input.nullableString();
    input.tags();
    return broker;
  });
}

/** The body of a request as pieces: the batches themselves are not copied. */
export function produceChunks(request: ProduceRequest): Buffer[] {
  const out = new WireWriter(256);
  const cuts: { readonly at: number; readonly records: Buffer }[] = [];
  out.nullableString(request.transactionalId);
  out.int16(-1);
  out.int32(request.timeoutMs);
  out.array(request.topics, (topic) => {
    out.string(topic.name);
    out.array(topic.partitions, (partition) => {
      out.int32(partition.partition);
      out.unsignedVarint(partition.records.length + 1);
      cuts.push({ at: out.length, records: partition.records });
      out.noTags();
    });
    out.noTags();
  });
  out.noTags();
  const frame = out.written;
  const chunks: Buffer[] = [];
  let from = 0;
  for (const cut of cuts) {
    chunks.push(frame.subarray(from, cut.at), cut.records);
    from = cut.at;
  }
  chunks.push(frame.subarray(from));
  return chunks;
}
