/** The command that starts a logical stream; names are quoted, so any name works. */
export function startReplicationCommand(slot: string, publications: readonly string[], protocolVersion: 1 | 2): string {
  const names = publications.map(quoteIdentifier).join(',');
  return (
    `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL 0/0 ` +
    `(proto_version '${protocolVersion}', publication_names ${quoteLiteral(names)}, messages 'true')`
  );
}

/** The command for a slot that lives as long as its connection; it waits for the transactions that run. */
export function createTemporarySlotCommand(slot: string): string {
  return `CREATE_REPLICATION_SLOT ${quoteIdentifier(slot)} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`;
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** For commands that take no parameters. `standard_conforming_strings` is on in every supported version. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
