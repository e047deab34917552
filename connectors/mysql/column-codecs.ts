import { rawBytesCodec } from '../../src/core/codecs/binary.ts';
import { FatalError } from '../../src/core/errors.ts';
import type { ColumnCodec } from '../../src/core/table.ts';
import { inet4Codec, inet6Codec, uuidCodec } from './codecs/address.ts';
import { bitCodec } from './codecs/bits.ts';
import { compressedCodec } from './codecs/compressed.ts';
import { dateCodec, yearCodec } from './codecs/date.ts';
import { datetimeCodec, timestampCodec } from './codecs/datetime.ts';
import { decimalCodec } from './codecs/decimal.ts';
import { double, float, floatAsDouble } from './codecs/float.ts';
import { geometryCodec } from './codecs/geometry.ts';
import {
  bigint,
  bigintUnsigned,
  int,
  intUnsigned,
  mediumint,
  mediumintUnsigned,
  smallint,
  smallintUnsigned,
  tinyint,
  tinyintUnsigned,
} from './codecs/integer.ts';
import { jsonCodec } from './codecs/json.ts';
import { enumCodec, setCodec } from './codecs/labels.ts';
import { paddedBinaryCodec } from './codecs/padded-binary.ts';
import {
  readDatetime,
  readOldDatetime,
  readOldTime,
  readOldTimestamp,
  readTime,
  readTimestamp,
} from './codecs/temporal-parts.ts';
import { textCodec } from './codecs/text.ts';
import { timeCodec } from './codecs/time.ts';
import { vectorCodec } from './codecs/vector.ts';
import type { MySqlType, TypeModes } from './mysql-type.ts';
import { TypeCode } from './protocol/type-code.ts';

/**
 * The codec of a column: what its values are in Connect's terms, and how the bytes of the log become them.
 * @throws FatalError for a type that is not known: a column is never left out silently.
 */
export function columnCodec(type: MySqlType, modes: TypeModes): ColumnCodec {
  switch (type.code) {
    case TypeCode.tiny:
      return type.unsigned ? tinyintUnsigned : tinyint;
    case TypeCode.short:
      return type.unsigned ? smallintUnsigned : smallint;
    case TypeCode.int24:
      return type.unsigned ? mediumintUnsigned : mediumint;
    case TypeCode.long:
      return type.unsigned ? intUnsigned : int;
    case TypeCode.longlong:
      return type.unsigned ? bigintUnsigned(modes) : bigint;
    case TypeCode.float:
      return /^float\(\d+,\d+\)/.test(type.declared ?? '') ? floatAsDouble : float;
    case TypeCode.double:
      return double;
    case TypeCode.newDecimal:
      return decimalCodec(type.precision, type.scale, modes);
    case TypeCode.bit:
      return bitCodec(type.length);
    case TypeCode.year:
      return yearCodec;
    case TypeCode.date:
    case TypeCode.newDate:
      return dateCodec(modes);
    case TypeCode.time:
    case TypeCode.time2:
      return timeCodec(type.code === TypeCode.time ? readOldTime : readTime, modes);
    case TypeCode.datetime:
    case TypeCode.datetime2:
      return datetimeCodec(type.scale, type.code === TypeCode.datetime ? readOldDatetime : readDatetime, modes);
    case TypeCode.timestamp:
    case TypeCode.timestamp2:
      return timestampCodec(type.scale, type.code === TypeCode.timestamp ? readOldTimestamp : readTimestamp);
    case TypeCode.enum:
      return enumCodec(type.labels ?? []);
    case TypeCode.set:
      return setCodec(type.labels ?? []);
    case TypeCode.json:
      return jsonCodec(modes);
    case TypeCode.geometry:
      return geometryCodec(type.geometryType);
    case TypeCode.vector:
      return vectorCodec;
    case TypeCode.string:
      return declaredCodec(type, modes) ?? characters(type, modes);
    case TypeCode.varchar:
    case TypeCode.varString:
    case TypeCode.tinyBlob:
    case TypeCode.mediumBlob:
    case TypeCode.longBlob:
    case TypeCode.blob:
      return declaredCodec(type, modes) ?? characters(type, modes);
    case TypeCode.blobCompressed:
    case TypeCode.varcharCompressed:
      return compressedCodec(characters(type, modes));
    default:
      throw new FatalError(
        `The column type ${type.code}${type.declared === null ? '' : ` (${type.declared})`} is not known.`,
        {
          code: 'MYSQL_TYPE_UNKNOWN',
          remedy: 'Exclude the column, or report the type.',
        },
      );
  }
}

/** Text in its character set, or bytes. */
export function characters(type: MySqlType, modes: TypeModes): ColumnCodec {
  if (type.charset !== null && type.charset !== 'binary') return textCodec(type.charset, modes);
  return type.code === TypeCode.string ? paddedBinaryCodec(type.length, modes) : rawBytesCodec(modes);
}

/** Types of MariaDB that the log has as bytes: only the catalog knows them. */
function declaredCodec({ declared, dialect }: MySqlType, modes: TypeModes): ColumnCodec | null {
  if (dialect !== 'mariadb' || declared === null) return null;
  if (declared === 'uuid') return uuidCodec(modes);
  if (declared === 'inet4') return inet4Codec(modes);
  if (declared === 'inet6') return inet6Codec(modes);
  return declared.startsWith('vector(') ? vectorCodec : null;
}
