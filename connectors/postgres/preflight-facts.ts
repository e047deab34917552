import type { PostgresConfig } from './config.ts';
import type { SqlConnection } from './connection.ts';
import { type PublicationFacts, readPublications } from './publication.ts';
import { publicationNames } from './publication-setup.ts';
import { type PublishableTable, readPublishableTables } from './publishable-tables.ts';
import { readServerFacts, type ServerFacts } from './server-facts.ts';
import { readSignalTable, type SignalTableFacts } from './signal-table-facts.ts';
import { readSlot, type SlotFacts } from './slot.ts';

/** Everything that the checks look at. */
export interface PreflightFacts {
  readonly server: ServerFacts;
  readonly settings: ServerSettings;
  readonly role: RoleFacts;
  readonly slot: SlotFacts | null;
  readonly publications: readonly PublicationFacts[];
  readonly tables: readonly PublishableTable[];
  /** Captured tables by name, for which something is worth saying. */
  readonly unreadable: readonly string[];
  readonly notOwned: readonly string[];
  /** Tables whose large values Postgres may leave out of an update. */
  readonly withToast: readonly string[];
  /** Null where the source has none. */
  readonly signalTable: SignalTableFacts | null;
}

export interface ServerSettings {
  readonly walLevel: string;
  readonly maxReplicationSlots: number;
  readonly usedReplicationSlots: number;
  readonly maxWalSenders: number;
  readonly usedWalSenders: number;
  /** Megabytes; -1: no limit. */
  readonly maxSlotWalKeepMb: number;
  readonly synchronousStandbyNames: string;
  readonly walSenderTimeoutMs: number;
  /** Milliseconds; 0 or null: slots are not given up for being idle. */
  readonly idleSlotTimeoutMs: number | null;
}

export interface RoleFacts {
  readonly name: string;
  readonly isSuperuser: boolean;
  readonly canReplicate: boolean;
  readonly canCreateInDatabase: boolean;
}

const SETTINGS = `
  SELECT current_setting('wal_level') AS wal_level,
         current_setting('max_replication_slots')::int AS max_slots,
         (SELECT count(*)::int FROM pg_catalog.pg_replication_slots WHERE slot_name <> $1) AS used_slots,
         current_setting('max_wal_senders')::int AS max_senders,
         (SELECT count(*)::int FROM pg_catalog.pg_stat_replication WHERE application_name <> $2) AS used_senders,
         (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size') AS keep_mb,
         current_setting('synchronous_standby_names') AS standby_names,
         (SELECT setting::float8 * CASE unit WHEN 's' THEN 1000 WHEN 'min' THEN 60000 ELSE 1 END
            FROM pg_catalog.pg_settings WHERE name = 'idle_replication_slot_timeout') AS idle_timeout_ms`;

// Replication rights may come from the role itself or, at some hosts, from a role such as rds_replication.
const ROLE = `
  SELECT r.rolname::text AS name, r.rolsuper AS is_superuser,
         r.rolsuper OR r.rolreplication OR EXISTS (
           SELECT FROM pg_catalog.pg_roles g
            WHERE g.rolname = 'rds_replication' AND pg_catalog.pg_has_role(r.oid, g.oid, 'usage')) AS can_replicate,
         pg_catalog.has_database_privilege(current_database(), 'CREATE') AS can_create
    FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`;

const TABLES = `
  SELECT n.nspname || '.' || c.relname AS name,
         pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS readable,
         pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
         c.relreplident <> 'f' AND c.reltoastrelid <> 0 AND EXISTS (
           SELECT FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attstorage IN ('x', 'e')) AS toast
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = ANY($1::oid[])
   ORDER BY 1`;

interface SettingsRow {
  readonly wal_level: string;
  readonly max_slots: number;
  readonly used_slots: number;
  readonly max_senders: number;
  readonly used_senders: number;
  readonly keep_mb: number;
  readonly standby_names: string;
  readonly idle_timeout_ms: number | null;
}

interface RoleRow {
  readonly name: string;
  readonly is_superuser: boolean;
  readonly can_replicate: boolean;
  readonly can_create: boolean;
}

interface TableRow {
  readonly name: string;
  readonly readable: boolean;
  readonly owned: boolean;
  readonly toast: boolean;
}

/** The name under which the stream's connection appears on the server. */
export function streamApplicationName(config: PostgresConfig): string {
  return `tailrace stream ${config.slot.name}`.slice(0, 63);
}

export async function readPreflightFacts(
  config: PostgresConfig,
  sql: SqlConnection,
  signal: AbortSignal,
): Promise<PreflightFacts> {
  const { signals } = config.source;
  const server = await readServerFacts(sql, signal);
  const [settings] = await sql.query<SettingsRow & Record<string, unknown>>(
    'reading settings',
    SETTINGS,
    [config.slot.name, streamApplicationName(config)],
    signal,
  );
  const [role] = await sql.query<RoleRow & Record<string, unknown>>('reading the role', ROLE, [], signal);
  const tables = await readPublishableTables(sql, config.source, signal);
  const oids = tables.map((table) => table.oid);
  const rights = await sql.query<TableRow & Record<string, unknown>>('reading table rights', TABLES, [oids], signal);
  return {
    server,
    settings: {
      walLevel: settings?.wal_level ?? '',
      maxReplicationSlots: settings?.max_slots ?? 0,
      usedReplicationSlots: settings?.used_slots ?? 0,
      maxWalSenders: settings?.max_senders ?? 0,
      usedWalSenders: settings?.used_senders ?? 0,
      maxSlotWalKeepMb: settings?.keep_mb ?? -1,
      synchronousStandbyNames: settings?.standby_names ?? '',
      walSenderTimeoutMs: server.walSenderTimeoutMs,
      idleSlotTimeoutMs: settings?.idle_timeout_ms ?? null,
    },
    role: {
      name: role?.name ?? config.connection.user,
      isSuperuser: role?.is_superuser ?? false,
      canReplicate: role?.can_replicate ?? false,
      canCreateInDatabase: role?.can_create ?? false,
    },
    slot: await readSlot(sql, config.slot.name, signal),
    publications: await readPublications(sql, publicationNames(config), server.version, signal),
    tables,
    unreadable: rights.filter((row) => !row.readable).map((row) => row.name),
    notOwned: rights.filter((row) => !row.owned).map((row) => row.name),
    withToast: rights.filter((row) => row.toast).map((row) => row.name),
    signalTable: signals.table === null ? null : await readSignalTable(sql, signals.table, signal),
  };
}
