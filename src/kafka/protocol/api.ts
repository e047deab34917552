import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * One request type of the Kafka protocol with the versions that we speak; https://kafka.apache.org/protocol. The highest
 * version that the broker has too is used. All of them are flexible (compact types, tagged fields) unless
 * `flexible` says otherwise.
 */
export interface Api<Q, R> {
  readonly name: string;
  readonly key: number;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** Whether requests have header version 2. */
  readonly flexible: boolean;
  encode(out: WireWriter, request: Q, version: number): void;
  decode(input: WireReader, version: number): R;
}

/** Writes what stands before the body: the length is filled in later. Header versions 1 and 2 of the protocol. */
export function writeRequestHeader(
  out: WireWriter,
  api: Api<never, unknown>,
  version: number,
  correlationId: number,
  clientId: string,
): void {
  out.int32(0);
  out.int16(api.key);
  out.int16(version);
  out.int32(correlationId);
  out.legacyNullableString(clientId);
  if (api.flexible) out.noTags();
}
