import type { Secret } from './secret.ts';

/** How a database is reached. Everything is resolved, files are read. */
export interface DatabaseConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret | null;
  /** Null where the connection is to none in particular. */
  readonly database: string | null;
  readonly tls: ConnectionTls;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
}

export const TLS_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type TlsMode = (typeof TLS_MODES)[number];

/** `ca`, `cert` and `key` are the contents of the files. */
export interface ConnectionTls {
  readonly mode: TlsMode;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: Secret | null;
}

/**
 * Runs `connect` with TLS as configured; `prefer` tries without where the server has none.
 * @param isTlsUnsupported whether what `connect` threw says that.
 */
export async function withConfiguredTls<T>(
  { tls }: DatabaseConnection,
  isTlsUnsupported: (error: unknown) => boolean,
  connect: (withTls: boolean) => Promise<T>,
): Promise<T> {
  if (tls.mode === 'disable') return connect(false);
  try {
    return await connect(true);
  } catch (error) {
    if (tls.mode === 'prefer' && isTlsUnsupported(error)) return connect(false);
    throw error;
  }
}
