/**
 * The commands with which a replica asks for the log. Each function gives the content of one packet, without its header.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication.html
 */

/** Flags of COM_BINLOG_DUMP and COM_BINLOG_DUMP_GTID. The second bit is another one in each dialect. */
export const DumpFlag = {
  /** An end-of-file packet at the end of the log instead of waiting. */
  nonBlocking: 1,
  /** USE_HEARTBEAT_EVENT_V2 of MySQL from 8.0.26 on. */
  mysqlHeartbeatV2: 2,
  /** BINLOG_SEND_ANNOTATE_ROWS_EVENT of MariaDB. */
  mariadbAnnotateRows: 2,
} as const;

const COM_BINLOG_DUMP = 0x12;
const COM_REGISTER_SLAVE = 0x15;
const COM_BINLOG_DUMP_GTID = 0x1e;
const LARGEST_POSITION = 0xffff_ffff;

/** Who asks, for SHOW REPLICAS. Host, user and password are left empty: the server has them from the connection. */
export function registerReplica(serverId: number, hostName: string): Buffer {
  const host = Buffer.from(hostName.slice(0, 60), 'utf8').subarray(0, 255);
  const packet = Buffer.alloc(1 + 4 + 1 + host.length + 1 + 1 + 2 + 4 + 4);
  packet[0] = COM_REGISTER_SLAVE;
  packet.writeUInt32LE(serverId, 1);
  packet[5] = host.length;
  host.copy(packet, 6);
  return packet;
}

/** @throws RangeError for a position beyond 32 bits: such a dump has to start by GTID, or earlier. */
export function binlogDump(file: string, position: number, flags: number, serverId: number): Buffer {
  if (position > LARGEST_POSITION) {
    throw new RangeError(`a dump cannot start at ${position} in ${file}: the command has 32 bits for the position`);
  }
  const name = Buffer.from(file, 'utf8');
  const packet = Buffer.alloc(11 + name.length);
  packet[0] = COM_BINLOG_DUMP;
  packet.writeUInt32LE(position, 1);
  packet.writeUInt16LE(flags, 5);
  packet.writeUInt32LE(serverId, 7);
  name.copy(packet, 11);
  return packet;
}

/** @param executed an encoded GTID set: everything in it is left out. File and position are the server's to find. */
export function binlogDumpGtid(executed: Uint8Array, flags: number, serverId: number): Buffer {
  const packet = Buffer.alloc(1 + 2 + 4 + 4 + 8 + 4 + executed.length);
  packet[0] = COM_BINLOG_DUMP_GTID;
  packet.writeUInt16LE(flags, 1);
  packet.writeUInt32LE(serverId, 3);
  packet.writeUInt32LE(0, 7);
  packet.writeUInt32LE(FIRST_EVENT, 11);
  packet.writeUInt32LE(executed.length, 19);
  packet.set(executed, 23);
  return packet;
}

/** Position of the first event of a file, behind its magic number. */
const FIRST_EVENT = 4;
