import type { Api } from './api.ts';
import type { WireReader } from './wire-reader.ts';

export interface FetchRequest {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  /** Nothing behind the first open transaction is given, and those that were aborted are named. False when missing. */
  readonly committedOnly?: boolean;
}

export interface FetchResponse {
  /** Of the whole request. */
  readonly errorCode: number;
  /** Null where the broker answered nothing about the partition, as it does while it throttles us. */
  readonly partition: FetchedPartition | null;
}

export interface FetchedPartition {
  readonly errorCode: number;
  readonly highWatermark: number;
  /** First record still in the log. */
  readonly logStartOffset: number;
  /** Transactions in `records` that were aborted; empty unless asked for with `committedOnly`. */
  readonly aborted: readonly AbortedTransaction[];
  /** Whole record batches, the last one possibly cut off. */
  readonly records: Buffer;
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/**
 * Reads one partition without a fetch session, committed or not: what belongs to an aborted transaction is for the caller
 * to tell, by the markers in the log. Version 12, the last one that names topics.
 */
export const fetch: Api<FetchRequest, FetchResponse> = {
  name: 'Fetch',
  key: 1,
  minVersion: 12,
  maxVersion: 12,
  flexible: true,
  encode(out, request) {
    out.int32(-1);
    out.int32(request.maxWaitMs);
    out.int32(1);
    out.int32(request.maxBytes);
    out.int8(request.committedOnly === true ? 1 : 0);
    out.int32(0);
    out.int32(-1);
    out.array([request], ({ topic, partition, offset, maxBytes }) => {
      out.string(topic);
      out.array([partition], (index) => {
        out.int32(index);
        out.int32(-1);
        out.int64(BigInt(offset));
        out.int32(-1);
        out.int64(-1n);
        out.int32(maxBytes);
        out.noTags();
      });
      out.noTags();
    });
    out.array([], () => {});
    out.string('');
    out.noTags();
  },
  decode(input) {
    input.int32();
    const errorCode = input.int16();
    input.int32();
    const partitions = input.array(() => {
      input.string();
      const read = input.array(() => readPartition(input));
      input.tags();
      return read;
    });
    input.tags();
    return { errorCode, partition: partitions.flat()[0] ?? null };
  },
};

function readPartition(input: WireReader): FetchedPartition {
  input.int32();
  const errorCode = input.int16();
  const highWatermark = input.safeInt64();
  input.int64();
  const logStartOffset = input.safeInt64();
  const aborted = input.array(() => {
    const producerId = input.int64();
    const firstOffset = input.safeInt64();
    input.tags();
    return { producerId, firstOffset };
  });
  input.int32();
  // Copied: the frame of an answer is only valid while it is decoded.
  const records = Buffer.from(input.nullableBytes() ?? []);
  input.tags();
  return { errorCode, highWatermark, logStartOffset, aborted, records };
}
