import type { ComparableTexts } from '../avro/comparable-schema.ts';

/** Texts that another writer of the topic is known to write otherwise, by the name of their type. */
export function toleratedTexts(tolerate: 'debezium' | null): ComparableTexts {
  if (tolerate === null) return new Map();
  // A snapshot of MySQL trims the zeros of a fraction that the stream pads.
  return new Map([['io.debezium.time.ZonedTimestamp', withoutTrailingZeros]]);
}

function withoutTrailingZeros(text: string): string {
  return text.replace(/\.(\d*?)0+(?=Z|[+-]\d\d)/, (_whole, digits: string) => (digits === '' ? '' : `.${digits}`));
}
