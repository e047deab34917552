import type { ConnectSchema } from '../connect-schema.ts';
import type { ValueWriter } from '../value-writer.ts';
import type { Emit } from './codec.ts';
import { utf8Bytes } from './scratch.ts';

export interface UnavailableMode {
  readonly unavailablePlaceholder: string;
}

/** The placeholder of an unchanged TOAST column as a string. */
export function unavailableText(modes: UnavailableMode): Emit {
  const bytes = utf8Bytes(modes.unavailablePlaceholder);
  return (out) => out.utf8(bytes, 0, bytes.length);
}

/** The placeholder as the same bytes, which is Debezium's form for `bytea`. */
export function unavailableBytes(modes: UnavailableMode): Emit {
  const bytes = utf8Bytes(modes.unavailablePlaceholder);
  return (out) => out.bytes(bytes, 0, bytes.length);
}

/**
 * The placeholder inside an array: one string or one byte string, or for numbers one element per byte, as Debezium writes
 * `int[]`. `element` writes the placeholder of an element that is none of these.
 */
export function unavailableArray(
  items: ConnectSchema,
  itemsOptional: boolean,
  modes: UnavailableMode,
  element: Emit,
): Emit {
  const bytes = utf8Bytes(modes.unavailablePlaceholder);
  const number = numberWriter(items.type);
  return (out) => {
    out.beginArray(number === null ? 1 : bytes.length);
    for (const byte of number === null ? [0] : bytes) {
      if (itemsOptional) out.present(0);
      if (number === null) element(out);
      else number(out, byte);
    }
    out.endArray();
  };
}

function numberWriter(type: ConnectSchema['type']): ((out: ValueWriter, value: number) => void) | null {
  switch (type) {
    case 'int8':
    case 'int16':
    case 'int32':
      return (out, value) => out.int(value);
    case 'int64':
      return (out, value) => out.safeLong(value);
    case 'float32':
      return (out, value) => out.float(value);
    case 'float64':
      return (out, value) => out.double(value);
    default:
      return null;
  }
}
