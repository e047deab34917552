import { MessageType, type RelationMessage } from './pgoutput-messages.ts';

/**
 * The bytes of a Relation message as pgoutput sends them.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export function encodeRelation(relation: RelationMessage): Buffer {
  const { schema, columns } = relation;
  const parts: Buffer[] = [
    Buffer.of(MessageType.relation),
    int32(relation.oid),
    // The protocol leaves the name of pg_catalog out.
    cString(schema === 'pg_catalog' ? '' : schema),
    cString(relation.name),
    Buffer.from(relation.replicaIdentity, 'latin1'),
    Buffer.of(columns.length >>> 8, columns.length & 0xff),
  ];
  for (const { isKey, name, typeOid, typmod } of columns) {
    parts.push(Buffer.of(isKey ? 1 : 0), cString(name), int32(typeOid), int32(typmod));
  }
  return Buffer.concat(parts);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8');
}
