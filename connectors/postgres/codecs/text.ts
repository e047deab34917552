import { semantic } from '../../../src/core/codecs/codec.ts';
import { unavailableText } from '../../../src/core/codecs/placeholder.ts';
import type { ConnectScalar } from '../../../src/core/connect-schema.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, type PostgresCodec } from './codec.ts';

/** A type whose text form is published as it is. */
export function textCodec(modes: TypeModes, name?: string): PostgresCodec {
  return verbatim(name === undefined ? { type: 'string' } : semantic('string', name), modes);
}

/** @param labels in the order of the type, which the schema lists. */
export function enumCodec(labels: readonly string[], modes: TypeModes): PostgresCodec {
  return verbatim(semantic('string', 'io.debezium.data.Enum', [['allowed', labels.join(',')]]), modes);
}

function verbatim(schema: ConnectScalar, modes: TypeModes): PostgresCodec {
  return codec(
    schema,
    (bytes, start, end, out) => {
      out.utf8(bytes, start, end);
      return true;
    },
    (out) => out.text(''),
    unavailableText(modes),
  );
}
